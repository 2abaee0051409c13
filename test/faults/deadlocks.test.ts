import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { eventually } from '../support/eventually.ts';
import { setUpBench } from '../support/work.ts';

let daemon: Daemon;
let observer: Client;
beforeAll(async () => {
  daemon = await startDaemon({ config: { sweepMs: 60_000, pollMs: 60_000 } });
  observer = new Client(daemon.databaseUrl);
  await observer.connect();
});
afterAll(async () => {
  await observer.end();
  await daemon.stop();
});

const uniqueKey = (name: string) => `test:${name}-${crypto.randomUUID()}`;

/** Waits until so many statements of this database stand behind a lock. */
const whenBlocked = (count: number) =>
  eventually(async () => {
    const { rows } = await observer.query<{ n: number }>(
      `select count(*)::int as n from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
    );
    expect(rows[0]?.n).toBe(count);
  });

/** Holds the row of a key, as a slow transaction would. */
async function holdKeyRow(key: string): Promise<() => Promise<void>> {
  const client = new Client(daemon.databaseUrl);
  await client.connect();
  await client.query('begin');
  await client.query('select 1 from lock_keys where key = $1 for update', [key]);
  return async () => {
    await client.query('commit');
    await client.end();
  };
}

async function countDeadlocks(): Promise<number> {
  await observer.query('select pg_stat_clear_snapshot()');
  const { rows } = await observer.query<{ n: string }>('select deadlocks as n from pg_stat_database where datname = current_database()');
  return Number(rows[0]?.n);
}

/** What calls that might stand in a circle wait for; their transactions are tried again, so that only the count tells of it. */
async function countDeadlocksOf(before: number, calls: readonly Promise<unknown>[]): Promise<number> {
  const startedAt = performance.now();
  await Promise.allSettled(calls);
  // PostgreSQL looks for a circle after a second of waiting, and a backend writes its counts down up to a second later.
  if (performance.now() - startedAt > 900) await sleep(1_500);
  return (await countDeadlocks()) - before;
}

test('an agent that resumes its session while it is given a task with a lock makes no deadlock', async () => {
  const { submit, agent } = await setUpBench(daemon);
  const key = uniqueKey('claim');
  await submit({ locks: [{ key }] });
  await agent.client.lock.acquire({ keys: [{ key }] });
  await agent.client.lock.release({ keys: [key] });
  const before = await countDeadlocks();
  const letGo = await holdKeyRow(key);

  const claimed = agent.claim({ waitMs: 10_000 });
  await whenBlocked(1);
  const resumed = daemon.connectAgent({ name: agent.name, resumeToken: agent.session.resumeToken });
  await whenBlocked(2);
  await letGo();

  expect(await countDeadlocksOf(before, [claimed, resumed])).toBe(0);
  await expect(claimed).resolves.toHaveLength(1);
});

test('a session that ends while the lock it waits for is handed to it makes no deadlock', async () => {
  const [holder, waiter] = [await daemon.connectAgent(), await daemon.connectAgent()];
  const [key, other] = [uniqueKey('waited'), uniqueKey('other')];
  await holder.client.lock.acquire({ keys: [{ key }] });
  await waiter.client.lock.acquire({ keys: [{ key: other }] });
  const waited = waiter.client.lock.acquire({ keys: [{ key }], waitMs: 20_000 }).catch(() => undefined);
  await eventually(async () => expect((await daemon.client.lock.get({ key })).waiters).toHaveLength(1));
  const before = await countDeadlocks();
  // The release stands behind this row; the end of the session takes its own row and stands behind the release.
  const letGo = await holdKeyRow(key);

  const released = holder.client.lock.release({ keys: [key] });
  await whenBlocked(1);
  const ended = waiter.client.agent.deregister({});
  await whenBlocked(2);
  await letGo();

  expect(await countDeadlocksOf(before, [released, ended])).toBe(0);
  await waiter.disconnect();
  await waited;
});

test('a session that ends with a lock of its own and one of its attempt takes both in key order', async () => {
  const { submit, agent } = await setUpBench(daemon);
  const other = await daemon.connectAgent();
  const suffix = crypto.randomUUID();
  const [a, z] = [`test:a-${suffix}`, `test:z-${suffix}`];
  await submit({ locks: [{ key: z }] });
  await agent.claimOne();
  await agent.client.lock.acquire({ keys: [{ key: a }] });
  const before = await countDeadlocks();
  const letGo = await holdKeyRow(z);

  // The end of the session stands behind z and holds nothing; who asks for both holds a and stands behind z.
  const ended = agent.client.agent.deregister({});
  await whenBlocked(1);
  const asked = other.client.lock.acquire({ keys: [{ key: a }, { key: z }], waitMs: 10_000 });
  await whenBlocked(2);
  await letGo();

  expect(await countDeadlocksOf(before, [ended, asked])).toBe(0);
  await expect(asked).resolves.toMatchObject({ locks: [{ key: a }, { key: z }] });
});
