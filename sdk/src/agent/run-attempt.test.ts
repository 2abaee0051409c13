import { type Claim, CoordinatorError, type MethodName, type NewContextItem } from '@baton/protocol';
import { expect, test, vi } from 'vitest';
import { patienceMs } from '../../../test/support/eventually.ts';
import { answeringClient, newClaim, silentLog, storedNote } from './client-fixture.ts';
import type { AttemptControl, Executor } from './executor.ts';
import { failedOutcome, type TaskOutcome } from './outcome.ts';
import { startAttempt } from './run-attempt.ts';

const completed: TaskOutcome = { kind: 'completed', output: 1, artifacts: [] };
const noted: NewContextItem = { kind: 'fact', text: 'It is so.', references: [], pinned: false };
const recorded = ({ taskId, attempt }: Claim) => ({ taskId, attempt, state: 'completed' });

const executing = (execute: Executor['execute']): Executor => ({ execute, loseLock: () => {}, close: async () => {} });
/** Notes something, and ends when told to with an error as a task would. */
const untilAborted = executing((_claim, { signal, note }: AttemptControl) => {
  note(noted);
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(failedOutcome('task_failed', String(signal.reason)))));
});
const notingThen = (outcome: TaskOutcome) =>
  executing(async (_claim, { note }) => {
    note(noted);
    return outcome;
  });

const start = (executor: Executor, answer: (method: MethodName) => unknown = () => undefined, claim = newClaim({})) => {
  const respond = (method: MethodName) => () => answer(method) ?? recorded(claim);
  const { client, calls } = answeringClient({
    'task/complete': respond('task/complete'),
    'task/fail': respond('task/fail'),
    'task/release': respond('task/release'),
    'context/note': (params: Parameters<typeof storedNote>[0]) => answer('context/note') ?? storedNote(params),
  });
  return { attempt: startAttempt({ client, executor, graceMs: 100, log: silentLog }, claim), calls, claim };
};
const refuse = (kind: ConstructorParameters<typeof CoordinatorError>[0], data = {}) => {
  throw new CoordinatorError(kind, data);
};

test('a result is reported under the fence of the attempt', async () => {
  const { attempt, calls, claim } = start(executing(async () => completed));

  expect(await attempt.done).toBe('completed');
  expect(calls).toEqual([
    {
      method: 'task/complete',
      params: { taskId: claim.taskId, attempt: 1, idempotencyKey: expect.any(String), output: 1, artifacts: [], context: [] },
    },
  ]);
});

test('Q6 an attempt that takes longer than it may is aborted and reported as timed out', async () => {
  const { attempt, calls } = start(untilAborted, undefined, newClaim({ timeoutMs: 100 }));

  expect(await attempt.done).toBe('failed');
  expect(calls).toMatchObject([
    {
      method: 'task/fail',
      params: {
        permanent: false,
        context: [noted],
        error: { code: 'timed_out', message: 'The attempt took longer than the 100 ms it may take.' },
      },
    },
  ]);
});

const handedIn = ({ ticketId, taskId, attempt }: Claim) => ({
  method: 'context/note',
  params: { ticketId, taskId, attempt, item: noted, idempotencyKey: expect.any(String) },
});

test('a revoked attempt is told to stop, and nothing is reported but what it noted', async () => {
  const { attempt, calls, claim } = start(untilAborted);

  attempt.revoke('cancelled');

  expect(await attempt.done).toBe('dropped');
  expect(calls).toEqual([handedIn(claim)]);
});

test('what a task notes is handed in where its result comes too late', async () => {
  const { attempt, calls, claim } = start(notingThen(completed), (method) =>
    method === 'task/complete' ? refuse('claim_stale') : undefined,
  );

  expect(await attempt.done).toBe('dropped');
  expect(calls.slice(1)).toEqual([handedIn(claim)]);
});

test('a note that is late and whose pin is refused is handed in without it', async () => {
  const pinned = { ...noted, pinned: true };
  let tries = 0;
  const { attempt, calls } = start(
    executing(async (_claim, { note }) => {
      note(pinned);
      return completed;
    }),
    (method) => {
      if (method === 'task/complete') refuse('claim_stale');
      return tries++ === 0 ? refuse('limit_exceeded') : undefined;
    },
  );

  expect(await attempt.done).toBe('dropped');
  expect(calls.slice(1).map(({ params }) => params['item'])).toEqual([pinned, noted]);
});

test('an attempt that is revoked while its result is under way has the end that the answer says', async () => {
  const { promise: answer, resolve: answerNow } = Promise.withResolvers<unknown>();
  const { attempt, calls } = start(
    executing(async () => completed),
    () => answer,
  );
  await vi.waitFor(() => expect(calls).toHaveLength(1), { timeout: patienceMs });

  attempt.revoke('lease_lost');
  answerNow(recorded(attempt.claim));

  expect(await attempt.done).toBe('completed');
});

test('a result that comes too late is dropped without a word', async () => {
  const { attempt, calls } = start(
    executing(async () => completed),
    () => refuse('claim_stale'),
  );

  expect(await attempt.done).toBe('dropped');
  expect(calls).toHaveLength(1);
});

test('an attempt that is stopped because the agent leaves is given back with what it noted', async () => {
  const { attempt, calls } = start(untilAborted);

  attempt.abort('draining');

  expect(await attempt.done).toBe('released');
  expect(calls).toMatchObject([{ method: 'task/release', params: { context: [noted] } }]);
});

test('a report that a busy coordinator did not take is sent again under the same key', async () => {
  let tries = 0;
  const { attempt, calls } = start(
    executing(async () => completed),
    () => (tries++ === 0 ? refuse('overloaded') : undefined),
  );

  expect(await attempt.done).toBe('completed');
  expect(calls).toHaveLength(2);
  expect(calls[0]!.params['idempotencyKey']).toBe(calls[1]!.params['idempotencyKey']);
});

test('a result that the coordinator will never take fails the task for good, says why, and keeps the notes', async () => {
  const { attempt, calls } = start(notingThen(completed), (method) =>
    method === 'task/complete' ? refuse('limit_exceeded', { message: 'Too large.' }) : undefined,
  );

  expect(await attempt.done).toBe('failed');
  expect(calls[1]).toMatchObject({
    method: 'task/fail',
    params: { permanent: true, context: [noted], error: { code: 'result_refused', message: expect.stringContaining('Too large.') } },
  });
});

test('a failure whose notes the coordinator will never take is told without them', async () => {
  let tries = 0;
  const { attempt, calls } = start(notingThen(failedOutcome('task_failed', 'No.')), () =>
    tries++ === 0 ? refuse('invalid_params') : undefined,
  );

  expect(await attempt.done).toBe('failed');
  expect(calls.map(({ params }) => params['context'])).toEqual([[noted], []]);
  expect(calls[0]!.params['idempotencyKey']).not.toBe(calls[1]!.params['idempotencyKey']);
});

test('a failure whose details the coordinator will never take is told without them, and keeps its notes', async () => {
  let tries = 0;
  const { attempt, calls } = start(notingThen(failedOutcome('task_failed', 'No.', { details: { constructor: 1 } })), () =>
    tries++ === 0 ? refuse('invalid_params') : undefined,
  );

  expect(await attempt.done).toBe('failed');
  expect(calls[1]).toMatchObject({ method: 'task/fail', params: { context: [noted] } });
  expect(calls[1]!.params['error']).toEqual({ code: 'task_failed', message: 'No.' });
});

test('what a failure says holds no character that the coordinator refuses', () => {
  const { error } = failedOutcome('\ud83d', `a\0b${'😀'.repeat(8_000)}`);

  expect(error).toEqual({ code: '\uFFFD', message: `a\uFFFDb${'😀'.repeat(7_998)}…` });
});

test('what a task that was left behind notes later changes no try of the report', async () => {
  let tries = 0;
  const { attempt, calls } = start(
    executing(async (_claim, { note }) => {
      note(noted);
      setImmediate(() => note(noted));
      return completed;
    }),
    () => (tries++ === 0 ? refuse('overloaded') : undefined),
  );

  expect(await attempt.done).toBe('completed');
  expect(calls.map(({ params }) => params['context'])).toEqual([[noted], [noted]]);
});
