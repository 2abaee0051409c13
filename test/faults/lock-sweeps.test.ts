import { Client } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { listDueKeys } from '../../coordinator/src/lock/lock-due.store.ts';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { explainStatements } from '../support/explain.ts';
import { setUpBench } from '../support/work.ts';

let daemon: Daemon;
let database: Client;
beforeAll(async () => {
  daemon = await startDaemon({ store: 'postgresql' });
  database = new Client(daemon.databaseUrl);
  await database.connect();
});
afterAll(async () => {
  await database.end();
  await daemon.stop();
});

test('the lock sweeper looks at the keys that tasks wait for, and not at every task that waits', async () => {
  const { agent, submit } = await setUpBench(daemon);
  const keys = ['one', 'two', 'three'].map((name) => `test:${name}`);
  await agent.client.lock.acquire({ keys: keys.map((key) => ({ key })), ttlMs: 600_000 });
  const waiting = await submit(...keys.map((key) => ({ locks: [{ key }] })));
  expect(await agent.claim({ max: 5 })).toEqual([]);
  const { rows } = await database.query<{ column_name: string }>(
    "select column_name from information_schema.columns where table_name = 'tasks' and column_name <> 'id'",
  );
  const columns = rows.map(({ column_name: name }) => name).join(', ');
  await database.query(
    `insert into tasks (id, ${columns}) select gen_random_uuid(), ${columns} from tasks, generate_series(1, 3000) where id = any($1)`,
    [waiting],
  );
  await database.query('vacuum analyze tasks');

  const plans = await explainStatements(daemon.databaseUrl!, (em) => listDueKeys(em, 500));

  const reads = plans.flat().flatMap((line) => / on tasks\b.*rows=([\d.]+) loops=(\d+)/.exec(line)?.slice(1).map(Number) ?? []);
  expect(reads.length).toBeGreaterThan(0);
  // A few rows, a few times: nowhere the nine thousand.
  expect(Math.max(...reads)).toBeLessThan(20);
  expect(plans.flat().filter((line) => line.includes('Seq Scan on tasks'))).toEqual([]);
});
