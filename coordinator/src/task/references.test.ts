import { expect, test } from 'vitest';
import { fillTitle, listReferences, parseReference, resolveReferences, valueAt } from './references.ts';

test.each([
  ['tasks.a.output', { kind: 'task', phase: undefined, ref: 'a', field: 'output', path: [] }],
  ['tasks.src/a.ts.output.lines.0', { kind: 'task', phase: undefined, ref: 'src/a.ts', field: 'output', path: ['lines', '0'] }],
  ['phases.DESIGN.tasks.a.summary', { kind: 'task', phase: 'DESIGN', ref: 'a', field: 'summary', path: [] }],
  ['ticket.metadata.owner', { kind: 'ticket', path: ['metadata', 'owner'] }],
  ['visit.reason', { kind: 'visit', path: ['reason'] }],
  ['gate.reasons', { kind: 'gate', path: ['reasons'] }],
  ['context', { kind: 'context' }],
  ['tasks.a', undefined],
  ['ticket', undefined],
  ['ticket.nothing', undefined],
  ['constructor.name', undefined],
])('%s is understood', (text, reference) => expect(parseReference(text)).toEqual(reference));

test('references are found wherever they stand', () => {
  expect(listReferences({ a: '{{ context }}', b: [{ c: 'x {{ticket.id}} y {{ ticket.title }}' }], d: 3 })).toEqual([
    'context',
    'ticket.id',
    'ticket.title',
  ]);
});

test('a string that is one reference takes the value with its type, a longer one takes text', () => {
  const input = { whole: '{{ context }}', part: 'n={{ ticket.id }}, {{ visit.number }}', list: ['{{ visit.number }}'] };

  const resolved = resolveReferences(
    input,
    ({ kind }) => ({ context: { deep: true }, ticket: 'T1', visit: 2 })[kind as 'context' | 'ticket' | 'visit'],
  );

  expect(resolved).toEqual({ whole: { deep: true }, part: 'n=T1, 2', list: [2] });
});

test('what a value says in its turn is not looked up again', () => {
  expect(resolveReferences({ x: 'a {{ ticket.title }}' }, () => '{{ context }}')).toEqual({ x: 'a {{ context }}' });
});

test('a literal stands for what it holds, whatever that looks like', () => {
  const input = {
    template: { $literal: '<p>{{ title }}</p>' },
    deep: [{ $literal: { a: '{{ context }}' } }],
    both: { $literal: 1, other: 2 },
  };

  expect(listReferences(input)).toEqual([]);
  expect(resolveReferences(input, () => 'never')).toEqual({
    template: '<p>{{ title }}</p>',
    deep: [{ a: '{{ context }}' }],
    both: { $literal: 1, other: 2 },
  });
});

test('a reference that leads to nothing is an error that names it', () => {
  expect(() => resolveReferences({ x: '{{ ticket.metadata.nothing }}' }, () => undefined)).toThrow(
    '{{ ticket.metadata.nothing }} leads to nothing.',
  );
});

test('a title takes what is known when the task is made, and keeps the rest as it stands', () => {
  const title = fillTitle(
    '{{ ticket.title }}: {{ visit.number }} of {{ tasks.a.output }} {{ nonsense }}',
    ({ kind }) => ({ ticket: 'T', visit: 2 })[kind as 'ticket' | 'visit'],
  );

  expect(title).toBe('T: 2 of {{ tasks.a.output }} {{ nonsense }}');
});

test('a title is filled in no further than a title may be long', () => {
  const title = fillTitle('Write {{ ticket.title }}', () => 'x'.repeat(500));

  expect(title).toBe(`Write ${'x'.repeat(493)}…`);
});

test('only own properties are followed', () => {
  expect(valueAt({ a: [1, { b: 2 }] }, ['a', '1', 'b'])).toBe(2);
  expect(valueAt({ a: 1 }, ['constructor'])).toBeUndefined();
  expect(valueAt('text', ['length'])).toBeUndefined();
});
