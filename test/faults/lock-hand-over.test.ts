import { Client } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { eventually } from '../support/eventually.ts';
import { outcomeOf, setUpBench } from '../support/work.ts';

let daemon: Daemon;
let other: Daemon;
let observer: Client;
beforeAll(async () => {
  // The sweeper is slow, so that what it would mend a second later is seen.
  daemon = await startDaemon({ config: { sweepMs: 60_000 } });
  other = await startDaemon({ databaseUrl: daemon.databaseUrl!, config: { sweepMs: 60_000 } });
  observer = new Client(daemon.databaseUrl);
  await observer.connect();
});
afterAll(async () => {
  await observer.end();
  await other.stop();
  await daemon.stop();
});

const uniqueKey = (name: string) => `test:${name}-${crypto.randomUUID()}`;

const holdersOf = async (key: string) => (await daemon.client.lock.get({ key })).holders;
const waitersOf = async (key: string) => (await daemon.client.lock.get({ key })).waiters;

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

test('a request for two keys that is queued while one of them is being released is granted', async () => {
  // Calls to one coordinator share a transaction: two of them stand behind a row only where there are two coordinators.
  const [holder, waiter] = [await daemon.connectAgent(), await other.connectAgent()];
  const [a, b] = [uniqueKey('a'), uniqueKey('b')];
  await holder.client.lock.acquire({ keys: [{ key: a }] });
  const letGo = await holdKeyRow(a);

  const acquired = waiter.client.lock.acquire({ keys: [{ key: a }, { key: b }], waitMs: 50_000 });
  await whenBlocked(1);
  const released = holder.client.lock.release({ keys: [a] });
  await whenBlocked(2);
  await letGo();
  await released;

  await expect(acquired).resolves.toMatchObject({ locks: [{ key: a }, { key: b }] });
});

test('whoever stumbles over an expired lock hands it to the first who waits', async () => {
  const [holder, waiter, passer] = [await daemon.connectAgent(), await daemon.connectAgent(), await daemon.connectAgent()];
  const key = uniqueKey('expired');
  await holder.client.lock.acquire({ keys: [{ key }], ttlMs: 600_000 });
  const acquired = waiter.client.lock.acquire({ keys: [{ key }], waitMs: 50_000 });
  await eventually(async () => expect(await waitersOf(key)).toHaveLength(1));
  await observer.query('update lock_grants set expires_at = clock_timestamp() where key = $1', [key]);

  const passed = await outcomeOf(passer.client.lock.acquire({ keys: [{ key }] }));

  expect(passed).toBe('lock_conflict');
  await expect(acquired).resolves.toMatchObject({ locks: [{ key }] });
});

test('a request that waits for an attempt ends with the attempt', async () => {
  const bench = await setUpBench(daemon);
  const holder = await daemon.connectAgent();
  const key = uniqueKey('attempt');
  await holder.client.lock.acquire({ keys: [{ key }] });
  await bench.submit({ title: 'Waits for a lock' });
  const { taskId, attempt } = await bench.agent.claimOne();
  const outcome = outcomeOf(bench.agent.client.lock.acquire({ keys: [{ key }], waitMs: 50_000, taskId, attempt }));
  await eventually(async () => expect(await waitersOf(key)).toHaveLength(1));

  await daemon.client.task.cancel({ taskId });
  await holder.client.lock.release({ keys: [key] });

  expect(await outcome).toBe('claim_stale');
  expect(await holdersOf(key)).toEqual([]);
});

test('a declared lock that its attempt acquires again still lives as long as the attempt', async () => {
  const { submit, agent } = await setUpBench(daemon);
  const key = uniqueKey('declared');
  await submit({ locks: [{ key }] });
  const { taskId, attempt } = await agent.claimOne();

  await agent.client.lock.acquire({ keys: [{ key }], taskId, attempt, ttlMs: 60_000 });

  const [held] = await holdersOf(key);
  expect(held?.expiresInMs).toBeUndefined();
});

test('a lock acquired for a task without naming the attempt ends with the attempt', async () => {
  const { submit, agent } = await setUpBench(daemon);
  const key = uniqueKey('no-attempt');
  await submit({ title: 'Takes a lock' });
  const claim = await agent.claimOne();
  await agent.client.lock.acquire({ keys: [{ key }], taskId: claim.taskId });

  await agent.complete(claim);

  expect(await holdersOf(key)).toEqual([]);
});
