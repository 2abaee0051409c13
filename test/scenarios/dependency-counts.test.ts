import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { type Bench, setUpBench } from '../support/work.ts';

let daemon: Daemon;
beforeAll(async () => {
  daemon = await startDaemon();
});
afterAll(() => daemon.stop());

/** `x` runs even if `f` fails, and waits for `g` in any case. `f` has failed. */
async function setUpFailedDependency(): Promise<Bench & { f: string; g: string; x: string }> {
  const bench = await setUpBench(daemon);
  const [f, g, x] = await bench.submit(
    { ref: 'f', maxAttempts: 1, priority: 'CRITICAL' },
    { ref: 'g', priority: 'LOW' },
    { ref: 'x', dependsOn: ['f', 'g'], onDependencyFailure: 'run' },
  );
  await bench.agent.fail(await bench.agent.claimOne());
  return { ...bench, f: f!, g: g!, x: x! };
}

const stateOf = async (taskId: string) => {
  const { state, pendingDependencies } = await daemon.client.task.get({ taskId });
  return { state, pendingDependencies };
};

test('a dependency that fails, is retried and then completes counts once', async () => {
  const { agent, f, x } = await setUpFailedDependency();

  await daemon.client.task.retry({ taskId: f });
  const retried = await agent.claimOne();
  await agent.complete(retried);

  expect(retried.taskId).toBe(f);
  expect(await stateOf(x)).toEqual({ state: 'blocked', pendingDependencies: 1 });
});

test('a failed dependency counts once, whoever else depends on it later', async () => {
  const { submit, g, x, agent } = await setUpFailedDependency();

  await submit({ ref: 'y', dependsOn: ['f'] });

  expect(await stateOf(x)).toEqual({ state: 'blocked', pendingDependencies: 1 });
  const last = await agent.claimOne();
  expect(last.taskId).toBe(g);
  await agent.complete(last);
  expect(await stateOf(x)).toEqual({ state: 'ready', pendingDependencies: 0 });
});

test('a task that depends on one that was completed before is ready at once', async () => {
  const { agent, submit } = await setUpBench(daemon);
  await submit({ ref: 'a' });
  await agent.complete(await agent.claimOne());

  const [b] = await submit({ ref: 'b', dependsOn: ['a'] });

  expect(await stateOf(b!)).toEqual({ state: 'ready', pendingDependencies: 0 });
});
