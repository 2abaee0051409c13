import { Client } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { eventually } from '../support/eventually.ts';
import type { TestAgent } from '../support/test-agent.ts';

let first: Daemon;
let second: Daemon;
let observer: Client;
beforeAll(async () => {
  // The sweeper is slow, so that nobody is served by it whom a release has forgotten.
  first = await startDaemon({ config: { sweepMs: 60_000 } });
  second = await startDaemon({ databaseUrl: first.databaseUrl!, config: { sweepMs: 60_000 } });
  observer = new Client(first.databaseUrl);
  await observer.connect();
  // The database itself says from when to when a grant stood; what clients tell has the network in between.
  await observer.query(
    `create table holds (id uuid primary key, key text, places int, fence bigint, began timestamptz, ended timestamptz)`,
  );
  await observer.query(`create function note_hold() returns trigger language plpgsql as $$ begin
    if tg_op = 'INSERT' then insert into holds values (new.id, new.key, new.places, new.fence, clock_timestamp());
    else update holds set ended = clock_timestamp() where id = old.id; end if;
    return null; end $$`);
  await observer.query(`create trigger note_hold after insert or delete on lock_grants for each row execute function note_hold()`);
});
afterAll(async () => {
  await observer.end();
  await second.stop();
  await first.stop();
});

/** Agents by turns on the one and the other coordinator. */
const connectAgents = (count: number) =>
  Promise.all(Array.from({ length: count }, (_, index) => (index % 2 === 0 ? first : second).connectAgent()));

interface Hold {
  readonly key: string;
  readonly places: number;
  readonly fence: number;
  /** In µs. */
  readonly began: number;
  readonly ended: number;
}

async function listHolds(keys: readonly string[]): Promise<Hold[]> {
  const { rows } = await observer.query<Hold>(
    `select key, places, fence::float8 as fence, (extract(epoch from began) * 1e6)::float8 as began, (extract(epoch from ended) * 1e6)::float8 as ended
     from holds where key = any($1) order by began`,
    [keys],
  );
  return rows;
}

/** Takes a key, and gives it back at once, so many times. Ends when each wait has ended. */
async function contend({ client }: TestAgent, request: { key: string; places?: number }, rounds: number): Promise<string[]> {
  const held: string[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const { locks } = await client.lock.acquire({ keys: [request], waitMs: 60_000 });
    held.push(...locks.map(({ key }) => key));
    await client.lock.release({ keys: [request.key] });
  }
  return held;
}

/** The most places that were held at one moment. */
function peakOf(holds: readonly Hold[]): number {
  const moves = holds.flatMap(({ began, ended, places }) => [
    { at: began, by: places },
    { at: ended, by: -places },
  ]);
  let [held, peak] = [0, 0];
  for (const { by } of moves.toSorted((a, b) => a.at - b.at || a.by - b.by)) {
    held += by;
    peak = Math.max(peak, held);
  }
  return peak;
}

const rounds = 8;

test('K10 of 12 contenders for patterns and files that meet never two hold one path, and its fences rise', async () => {
  const covered: Record<string, readonly string[]> = {
    'file:race/*/a.ts': ['race/x/a.ts', 'race/y/a.ts'],
    'file:race/x/*.ts': ['race/x/a.ts', 'race/x/b.ts'],
    'file:race/x/a.ts': ['race/x/a.ts'],
    'file:race/**': ['race/x/a.ts', 'race/x/b.ts', 'race/y/a.ts'],
    'file:{race,docs}/x/b.ts': ['race/x/b.ts'],
    'file:race/y/a.ts': ['race/y/a.ts'],
  };
  const keys = Object.keys(covered);
  const contenders = await connectAgents(12);

  await Promise.all(contenders.map((contender, index) => contend(contender, { key: keys[index % keys.length]! }, rounds)));

  const holds = await listHolds(keys);
  expect(holds).toHaveLength(12 * rounds);
  for (const path of ['race/x/a.ts', 'race/x/b.ts', 'race/y/a.ts']) {
    const ofPath = holds.filter(({ key }) => covered[key]!.includes(path));
    expect(peakOf(ofPath)).toBe(1);
    expect(ofPath.map(({ fence }) => fence)).toEqual(ofPath.map(({ fence }) => fence).toSorted((a, b) => a - b));
  }
});

test('a key with 4 places is never held by more of 12 contenders, though some take two at once', async () => {
  const key = 'pool:raced';
  await first.client.lock.define({ key, places: 4 });
  const contenders = await connectAgents(12);

  await Promise.all(contenders.map((contender, index) => contend(contender, { key, places: index % 3 === 0 ? 2 : 1 }, rounds)));

  const holds = await listHolds([key]);
  expect(holds).toHaveLength(12 * rounds);
  expect(peakOf(holds)).toBeLessThanOrEqual(4);
  expect(peakOf(holds)).toBeGreaterThan(1);
});

test('of a range of 3 ports none is given to two of 12 contenders, some of whom ask for a part of it or for a port by its name', async () => {
  const members = ['raced:7001', 'raced:7002', 'raced:7003'];
  const wanted = ['raced:7001-7003', 'raced:7002-7003', 'raced:7001-7002', 'raced:7002'];
  const contenders = await connectAgents(12);

  const held = await Promise.all(contenders.map((contender, index) => contend(contender, { key: wanted[index % 4]! }, rounds)));

  expect([...new Set(held.flat())].toSorted()).toEqual(members);
  for (const member of members) expect(peakOf(await listHolds([member]))).toBe(1);
});

test('K11 those who wait for what meets get it in the order of their arrival', async () => {
  const [holder, ...waiters] = await connectAgents(6);
  const wanted = ['file:line/a.ts', 'file:line/*.ts', 'file:line/{a,b}.ts', 'file:line/**', 'file:line/a.ts'];
  await holder!.client.lock.acquire({ keys: [{ key: 'file:line/?.ts' }] });
  const order: number[] = [];
  const waiting: Promise<unknown>[] = [];

  for (const [index, { client }] of waiters.entries()) {
    const keys = [{ key: wanted[index]! }];
    waiting.push(
      client.lock.acquire({ keys, waitMs: 60_000 }).then(() => {
        order.push(index);
        return client.lock.release({});
      }),
    );
    await eventually(async () => expect((await first.client.lock.get({ key: 'file:line/**' })).waiters).toHaveLength(index + 1));
  }
  await holder!.client.lock.release({});
  await Promise.all(waiting);

  const holds = await listHolds([...new Set(wanted)]);
  expect(holds.map(({ key }) => key)).toEqual(wanted);
  expect(order).toHaveLength(5);
});

test('K14 patterns that are taken in opposite orders never deadlock', async () => {
  const deadlocks = async () => {
    const { rows } = await observer.query<{ n: string }>('select deadlocks as n from pg_stat_database where datname = current_database()');
    return Number(rows[0]?.n);
  };
  const before = await deadlocks();
  const [one, two, three] = await connectAgents(3);
  const takeBoth = async ({ client }: TestAgent, keys: readonly string[]) => {
    await client.lock.acquire({ keys: keys.map((key) => ({ key })), waitMs: 60_000 });
    await client.lock.release({});
  };

  for (let round = 0; round < 15; round += 1) {
    await Promise.all([
      takeBoth(one!, ['file:east/**', 'file:west/a.ts', 'bay:1-2']),
      takeBoth(two!, ['file:west/*', 'file:east/b.ts', 'bay:2']),
      takeBoth(three!, ['file:west/a.ts', 'file:east/b.ts', 'bay:1']),
    ]);
  }

  const { locks } = await first.client.lock.list({});
  expect(locks.filter(({ key }) => /east|west|bay/.test(key))).toEqual([]);
  expect(await deadlocks()).toBe(before);
});
