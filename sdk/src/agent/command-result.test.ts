import { expect, test } from 'vitest';
import { readCommandNotes, readCommandResult } from './command-result.ts';

test('nothing printed is a completion without output', () => {
  expect(readCommandResult(' \n')).toEqual({ kind: 'completed', artifacts: [] });
});

test('a printed result is taken as it is', () => {
  const printed = JSON.stringify({
    output: { ok: true },
    summary: 'Done.',
    artifacts: [{ type: 'report', content: [1] }],
    context: [{ kind: 'fact', text: 'So.' }],
  });

  expect(readCommandResult(printed)).toEqual({
    kind: 'completed',
    output: { ok: true },
    summary: 'Done.',
    artifacts: [{ type: 'report', name: 'default', mediaType: 'application/json', content: [1] }],
  });
  expect(readCommandNotes(printed)).toEqual({ notes: [{ kind: 'fact', text: 'So.', references: [], pinned: false }], problems: [] });
});

test('text that is not JSON is a permanent failure that shows how it begins', () => {
  expect(readCommandResult('All 12 tests passed')).toMatchObject({
    kind: 'failed',
    permanent: true,
    error: { code: 'result_invalid', message: expect.stringContaining('All 12 tests passed') },
  });
});

test('an unknown field is a permanent failure that names it', () => {
  expect(readCommandResult('{"percentage":80}')).toMatchObject({
    kind: 'failed',
    permanent: true,
    error: { message: expect.stringContaining('percentage: There is no such field.') },
  });
});

test.each(['', 'All 12 tests passed', '[]', 'null', '{"context":"none"}'])('%j holds no notes', (printed) => {
  expect(readCommandNotes(printed)).toEqual({ notes: [], problems: [] });
});

test('a note that does not fit is left out with its reason, and the result and the other notes are taken', () => {
  const fact = (text: string) => ({ kind: 'fact', text });
  const printed = JSON.stringify({ output: 1, context: [fact('One.'), fact('x'.repeat(4_001)), 'Two.', fact('Th\0ree.'), fact('Four.')] });

  expect(readCommandResult(printed)).toEqual({ kind: 'completed', output: 1, artifacts: [] });
  expect(readCommandNotes(printed)).toEqual({
    notes: ['One.', 'Four.'].map((text) => ({ ...fact(text), references: [], pinned: false })),
    problems: [
      expect.stringMatching(/^context\[1\]: The context item does not fit: text: .*4000/),
      expect.stringMatching(/^context\[2\]: The context item does not fit: /),
      expect.stringMatching(/^context\[3\]: The context item does not fit: text: The character U\+0000 is not allowed\./),
    ],
  });
});

test('of more notes than a report takes the first are taken', () => {
  const { notes, problems } = readCommandNotes(
    JSON.stringify({ context: Array.from({ length: 1_002 }, () => ({ kind: 'fact', text: 'So.' })) }),
  );

  expect(notes).toHaveLength(1_000);
  expect(problems).toEqual([expect.stringMatching(/^context\[1000\]: /), expect.stringMatching(/^context\[1001\]: /)]);
});

test('notes are taken from a result that does not fit otherwise', () => {
  const { notes } = readCommandNotes('{"percentage":80,"context":[{"kind":"risk","text":"It is slow."}]}');

  expect(notes).toMatchObject([{ text: 'It is slow.' }]);
});
