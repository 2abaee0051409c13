import { Client } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { outcomeOf, setUpBench } from '../support/work.ts';

let daemon: Daemon;
beforeAll(async () => {
  daemon = await startDaemon();
});
afterAll(() => daemon.stop());

test('tasks that wait for one lock do not hide a task behind them that could run', async () => {
  const { submit, agent } = await setUpBench(daemon);
  const key = `test:${crypto.randomUUID()}`;
  await agent.client.lock.acquire({ keys: [{ key }] });
  await submit(...Array.from({ length: 40 }, () => ({ locks: [{ key }], priority: 'HIGH' as const })));
  const [free] = await submit({ title: 'Needs no lock', priority: 'LOW' });

  const claims = await agent.claim({ max: 1 });

  expect(claims.map(({ taskId }) => taskId)).toEqual([free]);
});

test('a failure sent again with its idempotency key answers the same', async () => {
  const { submit, agent } = await setUpBench(daemon);
  await submit({ title: 'Fails', maxAttempts: 1 });
  const { taskId, attempt } = await agent.claimOne();
  const failure = { taskId, attempt, error: { message: 'It did not work.' }, idempotencyKey: crypto.randomUUID() };

  const once = await agent.client.task.fail(failure);
  const again = await agent.client.task.fail(failure);

  expect(again).toEqual(once);
});

test('a release sent again with its idempotency key answers the same', async () => {
  const { submit, agent } = await setUpBench(daemon);
  await submit({ title: 'Is given back' });
  const { taskId, attempt } = await agent.claimOne();
  const release = { taskId, attempt, idempotencyKey: crypto.randomUUID() };

  const once = await agent.client.task.release(release);
  const again = await agent.client.task.release(release);

  expect(again).toEqual(once);
});

test('a completion that cannot be stored does no harm to those that share its transaction', async () => {
  const { submit, agent } = await setUpBench(daemon);
  await submit({}, {}, {}, {});
  const [first, ...rest] = await agent.claim({ max: 4, waitMs: 5_000 });
  // 1,024 characters are allowed; 3,072 bytes that do not compress are more than an index takes.
  const name = Array.from({ length: 1_024 }, (_, index) => String.fromCodePoint(0x4e00 + ((index * 7_919) % 20_000))).join('');
  const obstacle = new Client(daemon.databaseUrl);
  await obstacle.connect();
  await obstacle.query('begin');
  await obstacle.query('select 1 from phase_visits where id in (select visit_id from tasks where id = $1) for update', [first!.taskId]);

  // The first stands before the visit while the others gather; a beat on their connection is answered after they have arrived.
  const leading = outcomeOf(agent.complete(first!));
  const gathered = rest.map((claim, index) =>
    outcomeOf(agent.complete(claim, index === 1 ? { artifacts: [{ type: 'report', name, content: 1 }] } : {})),
  );
  await agent.client.agent.heartbeat({});
  await obstacle.query('commit');
  await obstacle.end();
  const [before, poison, after] = await Promise.all(gathered);

  expect([await leading, before, after]).toEqual(['accepted', 'accepted', 'accepted']);
  expect(poison).not.toBe('internal');
});
