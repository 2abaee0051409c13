import { Client } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { eventually } from '../support/eventually.ts';
import { fetchFigures } from '../support/figures.ts';
import { outcomeOf, setUpBench } from '../support/work.ts';

let daemon: Daemon;
let observer: Client;
beforeAll(async () => {
  daemon = await startDaemon({ config: { heartbeatMs: 100, sweepMs: 200 } });
  observer = new Client(daemon.databaseUrl);
  await observer.connect();
});
afterAll(async () => {
  await observer.end();
  await daemon.stop();
});

const readFigure = async (name: string) => (await fetchFigures(daemon)).get(name) ?? 0;

test('beats of many agents share a statement, and each is answered for itself', async () => {
  const { agent, submit } = await setUpBench(daemon);
  await submit({});
  const { taskId, attempt } = await agent.claimOne();
  const others = await Promise.all(Array.from({ length: 20 }, () => daemon.connectAgent()));
  const fenced = others[7]!;
  await daemon.connectAgent({ name: fenced.name });
  const all = [agent, ...others];
  const before = await readFigure('baton_calls_in_flight');

  // The first beat stands before the table; meanwhile the others gather.
  await observer.query('begin');
  await observer.query('lock table sessions in access exclusive mode');
  const beats = all.map(({ client }) => outcomeOf(client.agent.heartbeat({ attempts: [{ taskId, attempt }] })));
  await eventually(async () => expect(await readFigure('baton_calls_in_flight')).toBeGreaterThanOrEqual(before + all.length));
  await eventually(async () => {
    const { rows } = await observer.query(
      `select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock' and query like 'with report as%'`,
    );
    expect(rows).toHaveLength(1);
  });
  await observer.query('commit');
  const outcomes = await Promise.all(beats);

  expect(outcomes.flatMap((outcome, index) => (outcome === 'accepted' ? [] : [all[index]!.name, outcome]))).toEqual([
    fenced.name,
    expect.stringMatching(/^session_(unknown|required)$/),
  ]);
  expect(await agent.client.agent.heartbeat({ attempts: [{ taskId, attempt }] })).toMatchObject({ revoked: [] });
});

test('what an agent was given and has not named for two beats is handed out again, as no try of the task', async () => {
  const { agent, submit } = await setUpBench(daemon);
  await submit({ maxAttempts: 1 });
  const lost = await agent.claimOne();

  const again = await eventually(async () => {
    await agent.client.agent.heartbeat({ attempts: [] });
    const [claim] = await agent.claim({ max: 1 });
    expect(claim).toBeDefined();
    return claim!;
  });

  expect(again).toMatchObject({ taskId: lost.taskId, attempt: 2 });
  const { attempts } = await daemon.client.task.get({ taskId: lost.taskId });
  expect(attempts).toMatchObject([{ outcome: 'released', error: { code: 'claim_lost' } }, {}]);
  expect(Date.parse(attempts[0]!.finishedAt!) - Date.parse(attempts[0]!.startedAt)).toBeGreaterThanOrEqual(200);
});

test('a beat that names nothing leaves what the agent holds', async () => {
  const { agent, submit } = await setUpBench(daemon);
  await submit({});
  const { taskId, attempt } = await agent.claimOne();
  await observer.query(`update tasks set started_at = started_at - interval '1 minute' where id = $1`, [taskId]);

  await agent.client.agent.heartbeat({});

  expect(await daemon.client.task.get({ taskId })).toMatchObject({ state: 'running', attempt });
});

test('what an agent names and no longer holds is revoked with the reason', async () => {
  const { agent, ticket, submit } = await setUpBench(daemon);
  const ids = await submit({ ref: 'kept' }, { ref: 'cancelled' }, { ref: 'late', timeoutMs: 100, maxAttempts: 1 }, { ref: 'given-back' });
  const claims = await agent.claim({ max: 4, waitMs: 10_000 });
  const named = ids.map((taskId) => ({ taskId, attempt: claims.find((claim) => claim.taskId === taskId)!.attempt }));
  const [kept, cancelled, late, given] = named as [(typeof named)[0], (typeof named)[0], (typeof named)[0], (typeof named)[0]];
  await daemon.client.task.cancel({ taskId: cancelled.taskId });
  await agent.client.task.release(given);
  await agent.told('task/revoked', ({ taskId }) => taskId === late.taskId);

  const { revoked } = await agent.client.agent.heartbeat({ attempts: named });
  await daemon.client.ticket.transition({ ticketId: ticket.id, to: 'BLOCKED' });
  const { revoked: closed } = await agent.client.agent.heartbeat({ attempts: [kept] });

  const reasons = Object.fromEntries(revoked.map(({ taskId, reason }) => [taskId, reason]));
  expect(reasons).toEqual({ [cancelled.taskId]: 'cancelled', [late.taskId]: 'timed_out', [given.taskId]: 'lease_lost' });
  expect(closed).toEqual([{ ...kept, reason: 'phase_closed' }]);
});

test('the event-loop lag that a beat tells is kept with the session until it tells another, and measured', async () => {
  const agent = await daemon.connectAgent();
  const before = await readFigure('baton_agent_event_loop_lag_seconds_sum');
  const lagIs = (ms: number) =>
    eventually(async () => {
      const { rows } = await observer.query<{ lagMs: number; seenMs: number }>(
        'select event_loop_lag_ms as "lagMs" from sessions where id = $1',
        [agent.session.sessionId],
      );
      expect(rows[0]!.lagMs).toBe(ms);
    });

  await agent.client.agent.heartbeat({ eventLoopLagMs: 1_234.5 });
  await agent.client.agent.heartbeat({});
  await lagIs(1_234.5);
  await agent.client.agent.heartbeat({ eventLoopLagMs: 0 });
  await lagIs(0);

  expect((await readFigure('baton_agent_event_loop_lag_seconds_sum')) - before).toBeCloseTo(1.2345, 6);
});

test('with more beats a second than there may be the interval is stretched, and the lease in the database with it', async () => {
  await using few = await startDaemon({ config: { heartbeatMs: 100, leaseMs: 30_000, sweepMs: 50, beatsPerSecondMax: 1 } });
  const first = await few.connectAgent();
  await Promise.all(Array.from({ length: 11 }, () => few.connectAgent()));

  const paced = await first.client.agent.heartbeat({});
  await using client = await connectTo(few);
  await eventually(async () => {
    const { rows } = await client.query<{ leaseMs: number }>(
      'select (extract(epoch from lease_until - last_seen_at) * 1000)::float8 as "leaseMs" from sessions where id = $1',
      [first.session.sessionId],
    );
    expect(rows[0]!.leaseMs).toBeGreaterThan(35_900);
  });

  expect(first.session).toMatchObject({ heartbeatMs: 100, leaseMs: 30_000 });
  expect(paced).toMatchObject({ heartbeatMs: 12_000, leaseMs: 36_000 });
});

test('an agent is stale when it has missed two beats of the stretched interval', async () => {
  await using few = await startDaemon({ config: { heartbeatMs: 100, sweepMs: 50, beatsPerSecondMax: 4 } });
  const [agent] = [await few.connectAgent(), await few.connectAgent()];
  await agent.client.agent.heartbeat({});

  const stale = await eventually(async () => {
    const { health, silenceMs } = await few.client.agent.get({ agentId: agent.session.agentId });
    expect(health).toBe('stale');
    return { silenceMs };
  });

  expect(stale.silenceMs).toBeGreaterThanOrEqual(1_000);
});

async function connectTo({ databaseUrl }: Pick<Daemon, 'databaseUrl'>) {
  const client = new Client(databaseUrl);
  await client.connect();
  return Object.assign(client, { [Symbol.asyncDispose]: () => client.end() });
}
