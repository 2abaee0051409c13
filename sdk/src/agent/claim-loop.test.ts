import { type Claim, CoordinatorError } from '@baton/protocol';
import { setImmediate as tick } from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import { patienceMs } from '../../../test/support/eventually.ts';
import { createClaimLoop } from './claim-loop.ts';
import { answeringClient, newClaim, silentLog } from './client-fixture.ts';
import type { AttemptEnd, RunningAttempt } from './run-attempt.ts';

/** A coordinator with a line of tasks, and attempts that end when the test says so. */
function open({ capacity, tasks }: { capacity: number; tasks: Claim[] }) {
  const ends: ((end: AttemptEnd) => void)[] = [];
  const running = { now: 0, most: 0 };
  const { client, calls } = answeringClient({
    'task/claim': ({ max }: { max: number }, signal) => {
      const claims = tasks.splice(0, max);
      if (claims.length > 0) return { claims };
      return new Promise((_resolve, reject) => signal?.addEventListener('abort', () => reject(new CoordinatorError('cancelled'))));
    },
  });
  const start = (claim: Claim): RunningAttempt => {
    running.most = Math.max(running.most, ++running.now);
    const done = new Promise<AttemptEnd>((resolve) => ends.push(resolve)).finally(() => running.now--);
    return { claim, abort: () => {}, revoke: () => {}, done };
  };
  const ended: Claim[] = [];
  const loop = createClaimLoop({
    client,
    capacity,
    log: silentLog,
    start,
    onEnded: (claim) => void ended.push(claim),
    onRunning: () => {},
    renewSession: async () => {},
  });
  return { loop, calls, ends, running, ended };
}

test('W5 W7 five tasks on three slots: never more than three at once, each once', async () => {
  const tasks = Array.from({ length: 5 }, () => newClaim({}));
  const expected = tasks.map(({ taskId }) => taskId);
  const { loop, ends, running, ended } = open({ capacity: 3, tasks });
  const run = loop.run();
  await vi.waitFor(() => expect(ends).toHaveLength(3), { timeout: patienceMs });

  for (let index = 0; index < 5; index++) {
    await vi.waitFor(() => expect(ends.length).toBeGreaterThan(index), { timeout: patienceMs });
    ends[index]!('completed');
    await tick();
  }
  loop.stop();
  await run;

  expect(running.most).toBe(3);
  expect(ended.map(({ taskId }) => taskId).sort()).toEqual(expected.sort());
});

test('a full agent asks for nothing', async () => {
  const { loop, calls, ends } = open({ capacity: 1, tasks: [newClaim({}), newClaim({})] });
  const run = loop.run();
  await vi.waitFor(() => expect(ends).toHaveLength(1), { timeout: patienceMs });

  expect(calls).toMatchObject([{ method: 'task/claim', params: { max: 1 } }]);

  loop.stop();
  ends[0]!('completed');
  await run;
});

test('a stopped loop gives up its waiting claim, and ends with its last attempt', async () => {
  const { loop, ends } = open({ capacity: 2, tasks: [newClaim({})] });
  const run = loop.run();
  await vi.waitFor(() => expect(ends).toHaveLength(1), { timeout: patienceMs });
  let over = false;
  const watched = run.then(() => (over = true));

  loop.stop();
  await tick();
  expect(over).toBe(false);
  ends[0]!('completed');

  await watched;
});
