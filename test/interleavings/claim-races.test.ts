import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { setUpBench } from '../support/work.ts';

let first: Daemon;
let second: Daemon;
beforeAll(async () => {
  first = await startDaemon();
  second = await startDaemon({ databaseUrl: first.databaseUrl! });
});
afterAll(async () => {
  await second.stop();
  await first.stop();
});

test('W10 of 12 agents on two coordinators exactly one claims the task in each of 50 rounds, and the attempts rise strictly', async () => {
  const { submit, type } = await setUpBench(first);
  const contenders = await Promise.all(
    Array.from({ length: 12 }, (_, index) => (index % 2 === 0 ? first : second).connectAgent({ capabilities: [type], capacity: 1 })),
  );
  const [taskId] = await submit({ maxAttempts: 3 });
  const attempts: number[] = [];
  const winners = new Set<string>();

  for (let round = 0; round < 50; round += 1) {
    // In each round another asks first.
    const inTurn = [...contenders.slice(round % 12), ...contenders.slice(0, round % 12)];
    const claimed = await Promise.all(
      inTurn.map(async (contender) => (await contender.claim({ max: 1 })).map((claim) => ({ claim, contender }))),
    );
    expect(claimed.flat()).toMatchObject([{ claim: { taskId } }]);
    const [{ claim, contender } = expect.fail()] = claimed.flat();
    attempts.push(claim.attempt);
    winners.add(contender.name);
    // Given back unused: the next round is about the same task.
    await contender.client.task.release({ taskId: claim.taskId, attempt: claim.attempt });
  }

  expect(attempts).toEqual(Array.from({ length: 50 }, (_, index) => index + 1));
  expect(winners.size).toBeGreaterThan(1);
}, 300_000);
