import { createClient } from '@baton/protocol';
import { callOverHttp } from '@baton/sdk/connection';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { eventually } from '../support/eventually.ts';
import { followEvents } from '../support/events.ts';
import { observeSessions, type SessionObserver } from '../support/session-observer.ts';
import { outcomeOf, setUpBench } from '../support/work.ts';

let daemon: Daemon;
/** Has not heard of the agents of the other, and so goes by the leases in the database. */
let sweeping: Daemon;
let observer: SessionObserver;
beforeAll(async () => {
  daemon = await startDaemon({ config: { heartbeatMs: 200, sweepMs: 100 } });
  sweeping = await startDaemon({ databaseUrl: daemon.databaseUrl!, config: { sweepMs: 100 } });
  observer = await observeSessions(daemon.databaseUrl!);
});
afterAll(async () => {
  await observer[Symbol.asyncDispose]();
  await sweeping.stop();
  await daemon.stop();
});

/** The transactions that wrote these rows. */
async function writersOf(statement: string, values: unknown[]): Promise<string[]> {
  const { rows } = await observer.client.query<{ writer: string }>(statement, values);
  return rows.map(({ writer }) => writer);
}

test('a session that expires gives up its claims and hands on its locks in the transaction that ends it', async () => {
  const { agent, submit } = await setUpBench(daemon);
  const key = `test:${crypto.randomUUID()}`;
  await submit({ locks: [{ key: `${key}-declared` }] }, {});
  const claims = await agent.claim({ max: 2, waitMs: 5_000 });
  await agent.client.lock.acquire({ keys: [{ key }] });
  const feed = await followEvents(await daemon.connect());
  const heir = await daemon.connectAgent();
  // It waits in a call, holds nothing, and is given the lock.
  const inherited = heir.client.lock.acquire({ keys: [{ key }], waitMs: 50_000 });
  await eventually(async () => expect((await daemon.client.lock.get({ key })).waiters).toHaveLength(1));

  await agent.disconnect();
  await observer.expire(agent.session.sessionId);
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
    await observer.client.query('update agents set state = $1 where id = $2', [state, agentId]);
    const readState = async () =>
      (await observer.client.query<{ state: string }>('select state from agents where id = $1', [agentId])).rows[0]!.state;
    const readSession = async () =>
      (
        await observer.client.query<{ hasBeaten: boolean; isOver: boolean }>(
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
    await observer.expire(sessionId);

    expect([afterBeats, await readState()]).toEqual([state, state]);
  },
);
