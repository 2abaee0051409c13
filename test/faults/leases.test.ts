import { createClient } from '@baton/protocol';
import { callOverHttp } from '@baton/sdk/connection';
import { Client } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Config } from '../../coordinator/src/config.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { startDaemon, type Daemon } from '../support/daemon.ts';
import { eventually } from '../support/eventually.ts';
import { outcomeOf } from '../support/work.ts';

const leaseMs = 10_000;
const config = { leaseMs, heartbeatMs: 1_000 };
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
  const { rows } = await observer.query<{ leaseUntil: string; leftMs: number; hasBeatBeenWritten: boolean }>(
    `select lease_until::text as "leaseUntil", (extract(epoch from lease_until - clock_timestamp()) * 1000)::float8 as "leftMs",
       last_seen_at - started_at > interval '20 milliseconds' as "hasBeatBeenWritten" from sessions where id = $1`,
    [id],
  );
  return rows[0]!;
}

/** As if so much time had passed since anybody looked. */
async function goBack(ms: number): Promise<void> {
  const gap = `interval '1 millisecond' * ${ms}`;
  await observer.query(`update last_sweep set at = at - ${gap}`);
  await observer.query(`update sessions set lease_until = lease_until - ${gap} where ended_at is null`);
}

test('a coordinator that starts beside another gives no time to a silent session', async () => {
  await using daemon = await start();
  const agent = await daemon.connectAgent();
  await agent.disconnect();
  await eventually(async () => expect((await readSession(agent.session.sessionId)).hasBeatBeenWritten).toBe(true));
  const before = await readSession(agent.session.sessionId);

  await (await start()).stop();

  expect((await readSession(agent.session.sessionId)).leaseUntil).toBe(before.leaseUntil);
});

test('the time in which there was no coordinator is given to sessions, once', async () => {
  const before = await start();
  const agent = await before.connectAgent();
  await eventually(async () => expect((await readSession(agent.session.sessionId)).hasBeatBeenWritten).toBe(true));
  await before.stop();
  await goBack(3_600_000);

  await using first = await start();
  await using _second = await start();
  const { leftMs } = await readSession(agent.session.sessionId);
  const returned = await first.connectAgent({ name: agent.name, resumeToken: agent.session.resumeToken });

  expect(leftMs).toBeGreaterThan(leaseMs - 5_000);
  expect(leftMs).toBeLessThan(leaseMs + 2_000);
  expect(returned.session).toMatchObject({ resumed: true, epoch: agent.session.epoch });
});

test('a time in which the process stood still is given to sessions, once for all coordinators in it', async () => {
  const short = { leaseMs: 2_000, heartbeatMs: 500, sweepMs: 200 };
  await using first = await start(short);
  await using second = await start(short);
  const [agent, other] = [await first.connectAgent(), await second.connectAgent()];
  await eventually(async () => expect((await readSession(other.session.sessionId)).hasBeatBeenWritten).toBe(true));

  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 3_000);
  await eventually(async () => expect((await readSession(agent.session.sessionId)).leftMs).toBeGreaterThan(0));
  const { leftMs } = await readSession(agent.session.sessionId);
  await Promise.all([agent.client.agent.heartbeat({}), other.client.agent.heartbeat({})]);

  expect(leftMs).toBeLessThan(short.leaseMs + 1_000);
});

const overHttp = ({ httpUrl, token }: Daemon, sessionToken?: string) =>
  createClient(callOverHttp({ url: httpUrl, token, ...(sessionToken !== undefined && { sessionToken }) }));

test('a call at a coordinator that promises less does not shorten the lease that another has promised', async () => {
  const short = { leaseMs: 1_000, heartbeatMs: 300, sweepMs: 100 };
  // With ten sessions and a beat a second in all, each of them beats every ten seconds.
  await using busy = await start({ ...short, beatsPerSecondMax: 1 });
  await using idle = await start(short);
  for (let i = 0; i < 10; i += 1) await busy.connectAgent();
  const promised = await overHttp(busy).agent.register({ name: crypto.randomUUID(), capabilities: ['work'] });
  const before = await readSession(promised.sessionId);

  const call = await outcomeOf(overHttp(idle, promised.resumeToken).agent.heartbeat({}));
  await eventually(async () => expect((await readSession(promised.sessionId)).hasBeatBeenWritten).toBe(true));

  expect({ call, leaseMs: promised.leaseMs }).toEqual({ call: 'accepted', leaseMs: 30_000 });
  expect((await readSession(promised.sessionId)).leaseUntil >= before.leaseUntil).toBe(true);
});

test('a beat over HTTP and a resume that come after a pause, before it has been forgiven, find their session', async () => {
  await using daemon = await start({ ...config, sweepMs: 60_000 });
  const { resumeToken, epoch, sessionId } = await overHttp(daemon).agent.register({ name: 'paused', capabilities: ['work'] });
  await goBack(3_600_000);

  const beat = await outcomeOf(overHttp(daemon, resumeToken).agent.heartbeat({}));
  const again = await overHttp(daemon).agent.register({ name: 'paused', capabilities: ['work'], resumeToken });

  expect({ beat, again }).toMatchObject({ beat: 'accepted', again: { resumed: true, epoch, sessionId } });
});

test('a pause gives no more than a whole lease to whoever has been heard of in it', async () => {
  const before = await start();
  const agent = await before.connectAgent();
  await before.stop();
  await observer.query(`update last_sweep set at = at - interval '1 hour'`);

  await using _after = await start();

  expect((await readSession(agent.session.sessionId)).leftMs).toBeLessThan(leaseMs + 1_000);
});
