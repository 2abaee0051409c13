import { createClient } from '@baton/protocol';
import { callOverHttp } from '@baton/sdk/connection';
import { Client } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { eventually } from '../support/eventually.ts';
import { followEvents } from '../support/events.ts';
import { outcomeOf, setUpBench } from '../support/work.ts';

let daemon: Daemon;
let observer: Client;
beforeAll(async () => {
  daemon = await startDaemon({ config: { heartbeatMs: 200, leaseMs: 800, sweepMs: 100 } });
  observer = new Client(daemon.databaseUrl);
  await observer.connect();
});
afterAll(async () => {
  await observer.end();
  await daemon.stop();
});

/** The transactions that wrote these rows. */
async function writersOf(statement: string, values: unknown[]): Promise<string[]> {
  const { rows } = await observer.query<{ writer: string }>(statement, values);
  return rows.map(({ writer }) => writer);
}

/** Sets when the lease of a session ends, however slow the machine is. */
const leaseFor = (sessionId: string, interval: string) =>
  observer.query('update sessions set lease_until = clock_timestamp() + $2::interval where id = $1', [sessionId, interval]);

test('a session that expires gives up its claims and hands on its locks in the transaction that ends it', async () => {
  const { agent, submit } = await setUpBench(daemon);
  await leaseFor(agent.session.sessionId, '1 hour');
  const key = `test:${crypto.randomUUID()}`;
  await submit({ locks: [{ key: `${key}-declared` }] }, {});
  const claims = await agent.claim({ max: 2, waitMs: 5_000 });
  await agent.client.lock.acquire({ keys: [{ key }] });
  const feed = await followEvents(await daemon.connect());
  const heir = await daemon.connectAgent();
  await leaseFor(heir.session.sessionId, '1 hour');
  // It waits in a call, holds nothing, and is given the lock.
  const inherited = heir.client.lock.acquire({ keys: [{ key }], waitMs: 20_000 });

  await agent.disconnect();
  await leaseFor(agent.session.sessionId, '0 seconds');
  const lost = await feed.waitFor('agent.lost', ({ data }) => data.sessionId === agent.session.sessionId);
  const { locks } = await inherited;

  const taskIds = claims.map(({ taskId }) => taskId);
  const writers = [
    ...(await writersOf('select xmin::text as writer from sessions where id = $1', [agent.session.sessionId])),
    ...(await writersOf('select xmin::text as writer from tasks where id = any($1)', [taskIds])),
    ...(await writersOf('select xmin::text as writer from attempts where task_id = any($1)', [taskIds])),
    ...(await writersOf('select xmin::text as writer from lock_grants where key = $1', [key])),
    ...(await writersOf(`select xmin::text as writer from events where name in ('agent.lost', 'task.requeued')`, [])),
  ];
  const ofTheEnd = feed.seen.filter(({ seq }) => seq > lost.seq - 3 && seq <= lost.seq);
  expect(writers).toEqual(Array.from({ length: 9 }, () => writers[0]));
  expect(locks).toMatchObject([{ key }]);
  expect(ofTheEnd.map(({ name }) => name)).toEqual(['task.requeued', 'task.requeued', 'agent.lost']);
});

test('a goodbye that is said again is heard again, on the same connection', async () => {
  const agent = await daemon.connectAgent();

  const answers = [await agent.client.agent.deregister({}), await agent.client.agent.deregister({ reason: 'Said again.' })];

  expect(answers).toEqual([{}, {}]);
  expect(await outcomeOf(agent.client.agent.heartbeat({}))).toBe('session_required');
});

test('a goodbye that is said again is heard again, over HTTP, and no other call of the session is', async () => {
  const place = { url: daemon.httpUrl, token: daemon.token };
  const { resumeToken } = await createClient(callOverHttp(place)).agent.register({
    name: `leaving-${crypto.randomUUID()}`,
    capabilities: ['work'],
  });
  const client = createClient(callOverHttp({ ...place, sessionToken: resumeToken }));

  const answers = [await client.agent.deregister({}), await client.agent.deregister({})];

  expect(answers).toEqual([{}, {}]);
  expect(await outcomeOf(client.agent.heartbeat({}))).toBe('session_unknown');
});

test('the goodbye of a session that a newer one has fenced is refused', async () => {
  const older = await daemon.connectAgent();
  const newer = await daemon.connectAgent({ name: older.name });

  const outcome = await outcomeOf(older.client.agent.deregister({}));

  expect(outcome).toBe('session_unknown');
  expect(await outcomeOf(newer.client.agent.heartbeat({}))).toBe('accepted');
});

test.each(['terminated', 'quarantined', 'maintenance'])(
  'HB7 neither a beat nor the end of its session revives an agent that is %s',
  async (state) => {
    const agent = await daemon.connectAgent();
    const { agentId, sessionId } = agent.session;
    await observer.query('update agents set state = $1 where id = $2', [state, agentId]);
    const readState = async () =>
      (await observer.query<{ state: string }>('select state from agents where id = $1', [agentId])).rows[0]!.state;
    const readSession = async () =>
      (
        await observer.query<{ hasBeaten: boolean; isOver: boolean }>(
          `select last_seen_at - started_at > interval '200 milliseconds' as "hasBeaten", ended_at is not null as "isOver" from sessions where id = $1`,
          [sessionId],
        )
      ).rows[0]!;

    await eventually(async () => {
      await agent.client.agent.heartbeat({ attempts: [] });
      expect(await readSession()).toMatchObject({ hasBeaten: true, isOver: false });
    });
    const afterBeats = await readState();
    await agent.disconnect();
    await eventually(async () => expect(await readSession()).toMatchObject({ isOver: true }));

    expect([afterBeats, await readState()]).toEqual([state, state]);
  },
);
