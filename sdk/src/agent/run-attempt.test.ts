import { type Claim, CoordinatorError, type MethodName, type NewContextItem } from '@baton/protocol';
import { expect, test, vi } from 'vitest';
import { answeringClient, newClaim, silentLog } from './client-fixture.ts';
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

test('a revoked attempt is told to stop, and nothing is reported', async () => {
  const { attempt, calls } = start(untilAborted);

  attempt.revoke('cancelled');

  expect(await attempt.done).toBe('dropped');
  expect(calls).toEqual([]);
});

test('an attempt that is revoked while its result is under way has the end that the answer says', async () => {
  const { promise: answer, resolve: answerNow } = Promise.withResolvers<unknown>();
  const { attempt, calls } = start(
    executing(async () => completed),
    () => answer,
  );
  await vi.waitFor(() => expect(calls).toHaveLength(1));

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
