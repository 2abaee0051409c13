import { execFileSync } from 'node:child_process';
import { createClient } from '@baton/protocol';
import { callOverHttp } from '@baton/sdk/connection';
import { Client } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Config } from '../../coordinator/src/config.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { startDaemon, type Daemon } from '../support/daemon.ts';
import { eventually } from '../support/eventually.ts';
import { awaitRuns } from '../support/figures.ts';
import { outcomeOf } from '../support/work.ts';

const leaseMs = 60_000;
const config = { leaseMs, heartbeatMs: 1_000 };
/** Of a coordinator that does not come to sweep while a test runs. */
const sweepless = { ...config, sweepMs: 60_000 };
let database: TestDatabase;
let observer: Client;
beforeAll(async () => {
  database = await createTestDatabase();
  observer = new Client(database.url);
  await observer.connect();
});
afterAll(async () => {
  await observer.end();
  await database.drop();
});

const start = (settings: Partial<Config> = config) => startDaemon({ databaseUrl: database.url, config: settings });

async function readSession(id: string) {
  const { rows } = await observer.query<{
    leaseUntil: string;
    leftMs: number;
    givenMs: number;
    seenAt: string;
    hasBeatBeenWritten: boolean;
  }>(
    `select lease_until::text as "leaseUntil", (extract(epoch from lease_until - clock_timestamp()) * 1000)::float8 as "leftMs",
       (extract(epoch from lease_until - last_seen_at) * 1000)::float8 as "givenMs", last_seen_at::text as "seenAt",
       last_seen_at > started_at as "hasBeatBeenWritten" from sessions where id = $1`,
    [id],
  );
  return rows[0]!;
}

/** As if so much time had passed since anybody looked. */
const lookedBefore = (interval: string) =>
  `insert into last_sweep (at) values (clock_timestamp() - interval '${interval}') on conflict (id) do update set at = excluded.at`;
const toldBefore = (interval: string) => `update sessions set lease_until = lease_until - interval '${interval}' where ended_at is null`;

async function goBack(interval: string): Promise<void> {
  await observer.query(lookedBefore(interval));
  await observer.query(toldBefore(interval));
}

/** Nothing happens in this process for more than a second, in which an hour passes for the database. */
function standStill(): void {
  const statements = [lookedBefore('1 hour'), toldBefore('1 hour'), 'select pg_sleep(1.2)'];
  const code = `(async () => {
    const client = new (require('pg').Client)(${JSON.stringify(database.url)});
    await client.connect();
    for (const statement of ${JSON.stringify(statements)}) await client.query(statement);
    await client.end();
  })()`;
  execFileSync(process.execPath, ['-e', code], { cwd: import.meta.dirname });
}

test('a coordinator that starts beside another gives no time to a silent session', async () => {
  await using daemon = await start(sweepless);
  const agent = await daemon.connectAgent();
  await agent.disconnect();
  await observer.query(lookedBefore('1 minute'));
  const before = await readSession(agent.session.sessionId);

  await (await start(sweepless)).stop();

  expect((await readSession(agent.session.sessionId)).leaseUntil).toBe(before.leaseUntil);
});

test('the time in which there was no coordinator is given to sessions, once', async () => {
  const before = await start(sweepless);
  const agent = await before.connectAgent();
  await before.stop();
  await goBack('1 hour');

  await using first = await start();
  await using _second = await start();
  const { leftMs } = await readSession(agent.session.sessionId);
  const returned = await first.connectAgent({ name: agent.name, resumeToken: agent.session.resumeToken });

  expect(leftMs).toBeGreaterThan(leaseMs / 2);
  expect(leftMs).toBeLessThanOrEqual(leaseMs);
  expect(returned.session).toMatchObject({ resumed: true, epoch: agent.session.epoch });
});

test('a time in which the process stood still is given to sessions, once for all coordinators in it', async () => {
  const quick = { ...config, sweepMs: 200 };
  await using first = await start(quick);
  await using second = await start(quick);
  // Each is a stranger to the coordinator that has not heard of it.
  const [agent, other] = [await first.connectAgent(), await second.connectAgent()];
  await eventually(async () => expect((await readSession(other.session.sessionId)).hasBeatBeenWritten).toBe(true));

  standStill();
  await eventually(async () => expect((await readSession(agent.session.sessionId)).leftMs).toBeGreaterThan(0));
  const { leftMs } = await readSession(agent.session.sessionId);
  await Promise.all([awaitRuns(first, 'session sweeper', 1), awaitRuns(second, 'session sweeper', 1)]);
  await Promise.all([agent.client.agent.heartbeat({}), other.client.agent.heartbeat({})]);

  expect(leftMs).toBeLessThanOrEqual(leaseMs);
});

const overHttp = ({ httpUrl, token }: Daemon, sessionToken?: string) =>
  createClient(callOverHttp({ url: httpUrl, token, ...(sessionToken !== undefined && { sessionToken }) }));

test('a call at a coordinator that promises less does not shorten the lease that another has promised', async () => {
  // With ten sessions and a beat a second in all, each of them beats every ten seconds.
  await using busy = await start({ ...sweepless, leaseMs: 1_000, heartbeatMs: 300, beatsPerSecondMax: 1 });
  for (let i = 0; i < 10; i += 1) await busy.connectAgent();
  const promised = await overHttp(busy).agent.register({ name: crypto.randomUUID(), capabilities: ['work'] });
  const before = await readSession(promised.sessionId);
  await using idle = await start({ leaseMs: 1_000, heartbeatMs: 300, sweepMs: 100 });

  const call = await outcomeOf(overHttp(idle, promised.resumeToken).agent.heartbeat({}));
  await eventually(async () => expect((await readSession(promised.sessionId)).seenAt).not.toBe(before.seenAt));

  expect({ call, leaseMs: promised.leaseMs }).toEqual({ call: 'accepted', leaseMs: 30_000 });
  expect((await readSession(promised.sessionId)).leaseUntil >= before.leaseUntil).toBe(true);
});

test('a beat over HTTP and a resume that come after a pause, before it has been forgiven, find their session', async () => {
  await using daemon = await start(sweepless);
  const { resumeToken, epoch, sessionId } = await overHttp(daemon).agent.register({ name: 'paused', capabilities: ['work'] });
  await goBack('1 hour');

  const beat = await outcomeOf(overHttp(daemon, resumeToken).agent.heartbeat({}));
  const again = await overHttp(daemon).agent.register({ name: 'paused', capabilities: ['work'], resumeToken });

  expect({ beat, again }).toMatchObject({ beat: 'accepted', again: { resumed: true, epoch, sessionId } });
});

test('a pause gives no more than a whole lease to whoever has been heard of in it', async () => {
  const before = await start(sweepless);
  const agent = await before.connectAgent();
  await before.stop();
  await observer.query(lookedBefore('1 hour'));
  const { givenMs } = await readSession(agent.session.sessionId);

  await using _after = await start(sweepless);

  expect((await readSession(agent.session.sessionId)).leftMs).toBeLessThanOrEqual(Math.max(givenMs, leaseMs));
});

test('a session whose end has to wait for its row holds up no look at the others', async () => {
  await using daemon = await start({ heartbeatMs: 300, leaseMs: 1_000, sweepMs: 100 });
  const { session, disconnect } = await daemon.connectAgent();
  const { sessionId } = session;
  const holder = new Client(database.url);
  await holder.connect();
  try {
    await holder.query('begin');
    await holder.query('select 1 from sessions where id = $1 for key share', [sessionId]);

    await disconnect();
    await eventually(async () => {
      const waiting = `select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock' and query like '%from sessions%for update%'`;
      expect((await observer.query(waiting)).rows).toHaveLength(1);
    });

    await awaitRuns(daemon, 'session sweeper', 2);
  } finally {
    await holder.end();
  }
  const ended = 'select 1 from sessions where id = $1 and ended_at is not null';
  await eventually(async () => expect((await observer.query(ended, [sessionId])).rows).toHaveLength(1));
});
