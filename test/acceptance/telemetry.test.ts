import { createRequire } from 'node:module';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { fetchFigures } from '../support/figures.ts';
import { setUpBench } from '../support/work.ts';

/** One acquire that is granted, and one that is refused. */
async function contend(daemon: Daemon) {
  const [a, b] = await Promise.all([daemon.connectAgent(), daemon.connectAgent()]);
  const keys = [{ key: 'file:contended', mode: 'exclusive' as const }];
  const granted = await a.client.lock.acquire({ keys });
  const refused = await b.client.lock.acquire({ keys }).catch((error: unknown) => error);
  return { granted, refused };
}

afterEach(() => {
  vi.restoreAllMocks();
});

test('K17 how long a lock was waited for is measured, whether it was granted or refused', async () => {
  await using daemon = await startDaemon();

  await contend(daemon);

  const figures = await fetchFigures(daemon);
  expect(figures.get('baton_lock_wait_time_seconds_count{outcome="ok"}')).toBe(1);
  expect(figures.get('baton_lock_wait_time_seconds_count{outcome="lock_conflict"}')).toBe(1);
});

test('K17 a measurement that fails breaks no acquire', async () => {
  // The class that the coordinator uses, which is not a dependency of the tests.
  const resolve = createRequire(join(import.meta.dirname, '..', '..', 'coordinator', 'package.json'));
  const { Histogram } = resolve('prom-client') as { Histogram: { prototype: { observeWithoutExemplar: () => void } } };
  const record = vi.spyOn(Histogram.prototype, 'observeWithoutExemplar').mockImplementation(() => {
    throw new Error('The measurement failed.');
  });
  await using daemon = await startDaemon();

  const { granted, refused } = await contend(daemon);

  expect(granted.locks).toHaveLength(1);
  expect(refused).toMatchObject({ kind: 'lock_conflict' });
  expect(record).toHaveBeenCalled();
});

test('D9 the tasks that are ready to be taken are counted, and the open ones by their states', async () => {
  await using daemon = await startDaemon();
  const { agent, submit } = await setUpBench(daemon);
  await submit({ ref: 'a', title: 'Taken' }, { ref: 'b' }, { ref: 'c' }, { ref: 'd', dependsOn: ['a'] });

  await agent.claimOne();

  const figures = await fetchFigures(daemon);
  expect(figures.get('baton_scheduler_ready_tasks')).toBe(2);
  expect(['blocked', 'ready', 'running'].map((state) => figures.get(`baton_tasks{state="${state}"}`))).toEqual([1, 2, 1]);
  expect(figures.get('baton_database_up')).toBe(1);
  expect(figures.get('baton_sessions_live')).toBe(1);
  expect(figures.get('baton_calls_total{method="task/claim",outcome="ok"}')).toBe(1);
  expect([...figures.keys()].some((name) => name.startsWith('baton_loop_duration_seconds_count{loop='))).toBe(true);
});
