import { Client } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { eventually } from '../support/eventually.ts';
import { awaitRuns } from '../support/figures.ts';
import type { TestAgent } from '../support/test-agent.ts';
import { outcomeOf, setUpBench } from '../support/work.ts';

let daemon: Daemon;
let observer: Client;
beforeAll(async () => {
  daemon = await startDaemon({ config: { sweepMs: 200 } });
  observer = new Client(daemon.databaseUrl);
  await observer.connect();
});
afterAll(async () => {
  await observer.end();
  await daemon.stop();
});

const uniqueKey = (name: string) => `test:${name}-${crypto.randomUUID()}`;
let count = 0;
/** A space that no other test uses. */
const newSpace = () => `members${(count += 1)}`;

const getLock = (key: string) => daemon.client.lock.get({ key });
const isValid = async (key: string, fence: number) => (await daemon.client.lock.check({ key, fence })).valid;
const whenAwaited = (key: string) => eventually(async () => expect((await getLock(key)).waiters).toHaveLength(1), { everyMs: 2 });
const connectTwo = () => Promise.all([daemon.connectAgent(), daemon.connectAgent()]);

test('a call that is withdrawn, before it is served or after, takes away nothing that its holder had before', async () => {
  const [mine, other] = await connectTwo();
  const [held, awaited] = [uniqueKey('held'), uniqueKey('awaited')];
  const { locks } = await mine.client.lock.acquire({ keys: [{ key: held }] });

  for (let round = 0; round < 12; round += 1) {
    await other.client.lock.acquire({ keys: [{ key: awaited }] });
    const stop = new AbortController();
    const both = outcomeOf(mine.client.lock.acquire({ keys: [{ key: held }, { key: awaited }], waitMs: 10_000 }, { signal: stop.signal }));
    await whenAwaited(awaited);
    // Both are under way at once: which of them comes first is left to chance.
    const released = other.client.lock.release({ keys: [awaited] });
    if (round % 2 === 0) await other.client.lock.get({ key: held });
    stop.abort();
    await Promise.all([released, both]);
    await eventually(async () => expect((await getLock(awaited)).waiters).toEqual([]), { everyMs: 2 });

    expect(await isValid(held, locks[0]!.fence)).toBe(true);
    await mine.client.lock.release({ keys: [awaited] });
  }
});

test('a request whose coordinator has died takes away what it was granted, and nothing that its holder had before', async () => {
  const [mine, other] = await connectTwo();
  const [held, awaited] = [uniqueKey('held'), uniqueKey('awaited')];
  const { locks } = await mine.client.lock.acquire({ keys: [{ key: held }], ttlMs: 600_000 });
  await other.client.lock.acquire({ keys: [{ key: awaited }] });
  const id = await leaveRequest(mine, [held, awaited]);

  await other.client.lock.release({ keys: [awaited] });
  await eventually(async () => expect((await getLock(awaited)).holders).toHaveLength(1), { everyMs: 2 });
  await abandon(id);
  const { locks: later } = await other.client.lock.acquire({ keys: [{ key: awaited }], waitMs: 50_000 });

  expect(later).toHaveLength(1);
  expect(await isValid(held, locks[0]!.fence)).toBe(true);
});

test('what its holder has asked for again is not taken away with a request that nobody answers for', async () => {
  const [mine, other] = await connectTwo();
  const key = uniqueKey('again');
  await other.client.lock.acquire({ keys: [{ key }] });
  const id = await leaveRequest(mine, [key]);
  await other.client.lock.release({ keys: [key] });
  const { locks } = await mine.client.lock.acquire({ keys: [{ key }], ttlMs: 600_000 });

  await abandon(id);
  await eventually(async () => expect(await isThere(id)).toBe(false));

  expect(await isValid(key, locks[0]!.fence)).toBe(true);
});

test('an answer that is taken while the sweeper gives it up stays with who took it', async () => {
  const mine = await daemon.connectAgent();
  const key = uniqueKey('taken');
  const { locks } = await mine.client.lock.acquire({ keys: [{ key }], ttlMs: 600_000 });
  // As it is while the answer of a request has not been taken: the sweeper finds it, and stands behind the row of the key.
  const id = await leaveRequest(mine, []);
  await observer.query('update lock_grants set request_id = $1 where key = $2', [id, key]);
  await observer.query('update lock_requests set granted = $2 where id = $1', [id, JSON.stringify(locks)]);
  const slow = new Client(daemon.databaseUrl);
  await slow.connect();
  await slow.query('begin');
  await slow.query('select 1 from lock_keys where key = $1 for update', [key]);
  await abandon(id);
  await eventually(async () => {
    const { rows } = await observer.query<{ n: number }>(
      `select count(*)::int as n from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
    );
    expect(rows[0]?.n).toBe(1);
  });

  const taken = await observer.query('delete from lock_requests where id = $1 and granted is not null', [id]);
  await slow.query('commit');
  await slow.end();
  // The sweeper goes on, with this run and with the next.
  await awaitRuns(daemon, 'lock sweeper', 2);

  expect(taken.rowCount).toBe(1);
  expect(await outcomeOf((await daemon.connectAgent()).client.lock.acquire({ keys: [{ key }] }))).toBe('lock_conflict');
  expect(await isValid(key, locks[0]!.fence)).toBe(true);
});

test('an upgrade does not shorten what was promised', async () => {
  const mine = await daemon.connectAgent();
  const key = uniqueKey('upgrade');
  await mine.client.lock.acquire({ keys: [{ key, mode: 'shared' }], ttlMs: 60_000 });

  await mine.client.lock.acquire({ keys: [{ key }], ttlMs: 500 });

  const [held] = (await getLock(key)).holders;
  expect(held).toMatchObject({ mode: 'exclusive' });
  expect(held?.expiresInMs).toBeGreaterThan(5_000);
});

test('a declared lock that is upgraded with a time to live still lives as long as its attempt', async () => {
  const { agent, submit } = await setUpBench(daemon);
  const key = uniqueKey('declared');
  await submit({ locks: [{ key, mode: 'shared' }] });
  const { taskId, attempt } = await agent.claimOne();

  await agent.client.lock.acquire({ keys: [{ key }], ttlMs: 300, taskId, attempt });

  const [held] = (await getLock(key)).holders;
  expect(held).toMatchObject({ mode: 'exclusive', taskId });
  expect(held?.expiresInMs).toBeUndefined();
});

test('a member that is held shared is held alone when the range is asked for exclusively, or the request is refused', async () => {
  const [mine, other] = await connectTwo();
  const space = newSpace();
  const range = { key: `${space}:1-2` };
  await mine.client.lock.acquire({ keys: [{ ...range, mode: 'shared' }] });

  const { locks } = await mine.client.lock.acquire({ keys: [{ ...range, mode: 'exclusive' }] });
  const besides = await outcomeOf(other.client.lock.acquire({ keys: [{ key: `${space}:1`, mode: 'shared' }] }));
  await mine.client.lock.release({});
  await mine.client.lock.acquire({ keys: [{ ...range, mode: 'shared' }] });
  await other.client.lock.acquire({ keys: [{ key: `${space}:1`, mode: 'shared' }] });
  const refused = await outcomeOf(mine.client.lock.acquire({ keys: [{ ...range, mode: 'exclusive' }] }));

  expect(locks).toMatchObject([{ key: `${space}:1`, mode: 'exclusive', requested: range.key }]);
  expect([besides, refused]).toEqual(['lock_conflict', 'lock_conflict']);
});

test('a range has no fence: whoever checks by its name is told to name the member', async () => {
  const mine = await daemon.connectAgent();
  const space = newSpace();
  const { locks } = await mine.client.lock.acquire({ keys: [{ key: `${space}:1-2` }] });
  const { key, fence } = locks[0]!;

  await expect(daemon.client.lock.check({ key: `${space}:1-2`, fence })).rejects.toMatchObject({
    kind: 'lock_key_invalid',
    data: { message: expect.stringMatching(/Name the member/) as string },
  });
  expect(await isValid(key, fence)).toBe(true);
});

/** A request in the queue whose call nobody waits in: that of a coordinator which has died. */
async function leaveRequest({ session }: TestAgent, keys: readonly string[]): Promise<string> {
  const id = crypto.randomUUID();
  await observer.query(
    `insert into lock_requests (id, project_id, session_id, agent_id, ttl_ms, wait_until)
     select $1, project_id, id, agent_id, 600000, clock_timestamp() + interval '10 minutes' from sessions where id = $2`,
    [id, session.sessionId],
  );
  await observer.query(
    `insert into lock_waits (project_id, key, request_id, is_wide, mode, places)
     select project_id, unnest($2::text[]), id, false, 'exclusive', 1 from lock_requests where id = $1`,
    [id, keys],
  );
  return id;
}

const abandon = (id: string) =>
  observer.query(`update lock_requests set wait_until = clock_timestamp() - interval '1 minute' where id = $1`, [id]);
const isThere = async (id: string) => (await observer.query('select 1 from lock_requests where id = $1', [id])).rowCount === 1;
