import { CoordinatorError, type NewContextItem } from '@baton/protocol';
import { expect, test, vi } from 'vitest';
import { patienceMs } from '../../../test/support/eventually.ts';
import { answeringClient, newClaim, storedNote } from './client-fixture.ts';
import { createNoteSender } from './note-sender.ts';

const noted = (text: string): NewContextItem => ({ kind: 'fact', text, references: [], pinned: false });

const open = (before: (tries: number) => unknown) => {
  let tries = 0;
  const { client, calls } = answeringClient({
    'context/note': async (params: Parameters<typeof storedNote>[0]) => {
      await before((tries += 1));
      return storedNote(params);
    },
  });
  const claim = newClaim({});
  return { notes: createNoteSender(client, claim, 0), calls, claim };
};

test('notes are stored while their attempt runs, under its fence and in order, and leave nothing for the report', async () => {
  const { notes, calls, claim } = open(() => undefined);
  const { ticketId, taskId, attempt } = claim;

  for (const text of ['One.', 'Two.']) notes.take(noted(text));
  await vi.waitFor(() => expect(calls).toHaveLength(2), { timeout: patienceMs });

  expect(notes.stop()).toEqual([]);
  expect(calls.map(({ params }) => params)).toEqual(['One.', 'Two.'].map((text) => ({ ticketId, taskId, attempt, item: noted(text) })));
});

test('a note that is refused stays for the report, and a later one is stored', async () => {
  const { notes, calls } = open((tries) => {
    if (tries === 1) throw new CoordinatorError('limit_exceeded');
  });

  for (const text of ['One.', 'Two.']) notes.take(noted(text));
  await vi.waitFor(() => expect(calls).toHaveLength(2), { timeout: patienceMs });

  expect(notes.stop()).toEqual([noted('One.')]);
});

test('a note that a busy coordinator did not take is sent again', async () => {
  const { notes, calls } = open((tries) => {
    if (tries === 1) throw new CoordinatorError('overloaded', { retryAfterMs: 1 });
  });

  notes.take(noted('One.'));
  await vi.waitFor(() => expect(calls).toHaveLength(2), { timeout: patienceMs });

  expect(notes.stop()).toEqual([]);
});

test('a note whose answer is not there yet goes with the report, and nothing is sent after it', async () => {
  const { promise, resolve } = Promise.withResolvers<unknown>();
  const { notes, calls } = open(() => promise);
  for (const text of ['One.', 'Two.']) notes.take(noted(text));
  await vi.waitFor(() => expect(calls).toHaveLength(1), { timeout: patienceMs });

  const left = notes.stop();
  resolve(undefined);
  await new Promise(setImmediate);

  expect(left).toEqual([noted('One.'), noted('Two.')]);
  expect(calls).toHaveLength(1);
});
