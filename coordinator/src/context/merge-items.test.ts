import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ItemOf } from './context.store.ts';
import { joinRepeated, mergeItems } from './merge-items.ts';

// Always the same cases, so that they fail for what was changed.
fc.configureGlobal({ seed: 20_261_123 });

const file = (value: string, line?: number) => ({ kind: 'file' as const, value, ...(line !== undefined && { line }) });
const said = (more: object = {}) => ({ pinned: false, references: [], ...more });

describe('a statement that is made again', () => {
  test('keeps its pin, its reasons, its references and what it says to programs', () => {
    const older = said({ pinned: true, rationale: 'It locks rows.', references: [file('a.ts')], data: { rows: 3 } });

    expect(mergeItems(older, said({ rationale: 'We know it.', references: [file('b.ts'), file('a.ts', 7)] }))).toEqual({
      pinned: true,
      rationale: 'It locks rows.\nWe know it.',
      references: [file('a.ts'), file('b.ts'), file('a.ts', 7)],
      data: { rows: 3 },
    });
  });

  test('has each reason and each reference once', () => {
    const older = said({ rationale: 'It locks rows.\nWe know it.', references: [file('a.ts')] });

    expect(mergeItems(older, said({ rationale: 'We know it.', references: [file('a.ts')] }))).toEqual(older);
  });

  test('a reason that is only part of another is another', () => {
    expect(mergeItems(said({ rationale: 'Not now.' }), { ...said(), rationale: 'No' }).rationale).toBe('Not now.\nNo');
  });

  test('grows to a limit; the newest stays, and of the rest stands how much it was', () => {
    const reasons = Array.from({ length: 30 }, (_, index) => `${index} ${'x'.repeat(3_990)}`);
    let item: ReturnType<typeof said> & { rationale?: string } = said();
    for (const [index, rationale] of reasons.entries()) item = mergeItems(item, said({ rationale, references: [file(`${index}.ts`)] }));

    const [, cut] = /\n… (\d+) characters of older reasons had no room\.$/.exec(item.rationale!)!;
    const kept = item.rationale!.slice(0, item.rationale!.lastIndexOf('\n…'));
    expect(item.rationale!.length).toBeLessThanOrEqual(20_000);
    expect(item.rationale!.length).toBeGreaterThan(19_900);
    expect(reasons.join('\n').endsWith(kept)).toBe(true);
    // Each cut takes a break of a line that was written anew with the next reason.
    expect(kept.length + Number(cut)).toBe(reasons.join('\n').length);
    expect(item.references).toHaveLength(30);
  });

  test('keeps of more references than an item takes the newest', () => {
    const long = (number: number) => file(`${number}${'x'.repeat(999)}`);
    const listed = (...numbers: readonly number[]) => numbers.map(long);

    const { references } = mergeItems(
      said({ references: listed(1, 2, 3, 4, 5, 6, 7, 8, 9, 10) }),
      said({ references: listed(11, 12, 13, 14, 15, 16, 17) }),
    );

    expect(references).toEqual(listed(3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17));
    expect(JSON.stringify(references).length).toBeLessThanOrEqual(16_000);
  });

  test('keeps of more references than an item may have the newest, however short they are', () => {
    const files = (from: number) => Array.from({ length: 100 }, (_, index) => file(`${from + index}.ts`));

    const { references } = mergeItems(said({ references: files(0) }), said({ references: files(60) }));

    expect(references).toEqual(files(60));
  });

  test('loses no reason that was cut by being said in another phase, too', () => {
    const older = said({ rationale: 'One.\n… 40 characters of older reasons had no room.' });
    const newer = said({ rationale: 'Two.\n… 2 characters of older reasons had no room.' });

    expect(mergeItems(older, newer)).toMatchObject({ rationale: 'One.\nTwo.\n… 42 characters of older reasons had no room.' });
    expect(mergeItems(older, said({ rationale: 'One.' }))).toEqual(older);
  });

  test('is cut between characters where it grows too long', () => {
    const older = said({ rationale: `${'x'.repeat(100)}😀${'y'.repeat(19_918)}` });

    const { rationale } = mergeItems(older, { ...said(), rationale: 'We know it' });

    expect(rationale?.isWellFormed()).toBe(true);
    expect(rationale).toMatch(/^y/);
  });
});

const itemOf = (visitId: string, text: string, more: Partial<ItemOf> = {}): ItemOf => ({
  origin: { ticketId: 't', visitId, visitNumber: 1, phase: 'DESIGN', author: 'ada' },
  item: { kind: 'fact', text, pinned: false, references: [] },
  ...more,
});

test('of items that come together each statement of a visit stands once for each source, and none is lost', () => {
  const one = fc.record({
    visitId: fc.constantFrom('v1', 'v2'),
    text: fc.constantFrom('One.', 'Two.', 'Three.'),
    source: fc.constantFrom('said' as const, 'summary' as const),
    pinned: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(one), (given) => {
      const items = given.map(({ visitId, text, source, pinned }) =>
        itemOf(visitId, text, { source, item: { kind: 'fact', text, pinned, references: [] } }),
      );
      const keys = (list: readonly ItemOf[]) => list.map(({ origin, source, item }) => `${origin.visitId} ${source} ${item.text}`);
      const pinned = (list: readonly ItemOf[]) => new Set(keys(list.filter(({ item }) => item.pinned)));

      const joined = joinRepeated(items);

      expect(keys(joined)).toEqual([...new Set(keys(items))]);
      expect(pinned(joined)).toEqual(pinned(items));
    }),
  );
});

test('what a task says that another has said refers to the other, what is recorded keeps its author', () => {
  const by = (author: string, source: 'said' | 'mechanical') => ({
    ...itemOf('v', 'One.'),
    source,
    origin: { ticketId: 't', visitId: 'v', visitNumber: 1, phase: 'DESIGN', author, taskId: `task of ${author}`, attempt: 1 },
  });

  const [again, recorded] = joinRepeated([by('ada', 'said'), by('bob', 'said'), by('ada', 'mechanical'), by('bob', 'mechanical')]);

  expect(again).toMatchObject({ origin: { author: 'bob' }, item: { references: [{ kind: 'task', value: 'task of ada' }] } });
  expect(recorded).toMatchObject({ origin: { author: 'ada', taskId: 'task of ada' }, item: { references: [] } });
});
