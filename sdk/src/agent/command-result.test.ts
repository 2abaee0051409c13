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
  expect(readCommandNotes(printed)).toEqual([{ kind: 'fact', text: 'So.', references: [], pinned: false }]);
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

test.each(['', 'All 12 tests passed', '[]', 'null', '{"context":[{"kind":"fact"}]}'])('%j holds no notes', (printed) => {
  expect(readCommandNotes(printed)).toEqual([]);
});

test('notes are taken from a result that does not fit otherwise', () => {
  expect(readCommandNotes('{"percentage":80,"context":[{"kind":"risk","text":"It is slow."}]}')).toMatchObject([{ text: 'It is slow.' }]);
});
