import { Client } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { eventually } from '../support/eventually.ts';
import { setUpBench } from '../support/work.ts';

let daemon: Daemon;
let database: Client;
beforeAll(async () => {
  // Of what stands before a row nothing is a sweeper's.
  daemon = await startDaemon({ store: 'postgresql', config: { sweepMs: 60_000 } });
  database = new Client(daemon.databaseUrl);
  await database.connect();
});
afterAll(async () => {
  await database.end();
  await daemon.stop();
});

/** Holds a row as a slow transaction would, until it is let go. */
async function hold(statement: string, ...values: readonly string[]) {
  const obstacle = new Client(daemon.databaseUrl);
  await obstacle.connect();
  await obstacle.query('begin');
  await obstacle.query(statement, [...values]);
  let isOver = false;
  const letGo = async () => {
    if (isOver) return;
    isOver = true;
    await obstacle.query('commit');
    await obstacle.end();
  };
  return { letGo, [Symbol.asyncDispose]: letGo };
}

/** Every transaction that records an event stands still at its end, with all that it holds. */
const holdCommits = () => hold('select 1 from event_streams for update');
const atItsEnd = 'with stream as';

const holdVisit = (ticketId: string) =>
  hold('select 1 from phase_visits where id = (select visit_id from tickets where id = $1) for update', ticketId);

const whenBlocked = (beginning: string, count = 1) =>
  eventually(async () => {
    const { rows } = await database.query<{ count: number }>(
      "select count(*)::int from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock' and ltrim(query) like $1 || '%'",
      [beginning],
    );
    expect(rows[0]!.count).toBe(count);
  });

/** The statements that stand before a row, each since when. */
async function listBlocked() {
  const { rows } = await database.query<{ pid: number; since: string }>(
    "select pid, query_start::text as since from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock' order by pid",
  );
  return rows;
}

const stateOf = async (taskId: string | undefined) => (await daemon.client.task.get({ taskId: taskId! })).state;

for (const loss of ['terminated', 'superseded'] as const)
  test(`a dependent that is reopened while another of its dependencies is lost for good (its agent is ${loss}) is not left blocked`, async () => {
    const { agent, type, submit } = await setUpBench(daemon);
    const [p1, p2, dependent] = await submit(
      { ref: 'p1', maxAttempts: 1 },
      { ref: 'p2', maxAttempts: 1 },
      { ref: 'd', dependsOn: ['p1', 'p2'] },
    );
    const claims = await agent.claim({ max: 2 });
    await agent.fail(
      claims.find(({ ref }) => ref === 'p1')!,
      { permanent: true },
    );
    await using commits = await holdCommits();

    const retried = daemon.client.task.retry({ taskId: p1! });
    await whenBlocked(atItsEnd);
    const lost =
      loss === 'terminated'
        ? daemon.client.agent.setState({ agentId: agent.session.agentId, state: 'terminated', reason: 'gone' })
        : daemon.connectAgent({ name: agent.name, capabilities: ['other'] });
    await whenBlocked('', 2);
    await commits.letGo();
    await Promise.all([retried, lost]);
    const fresh = await daemon.connectAgent({ capabilities: [type] });
    await fresh.complete(await fresh.claimOne());

    expect([await stateOf(p1), await stateOf(p2), await stateOf(dependent)]).toEqual(['completed', 'failed', 'skipped']);
  });

test('cancelAll of what is ready leaves alone what began to run meanwhile', async () => {
  const { agent, ticket, submit } = await setUpBench(daemon);
  const [taskId] = await submit({ ref: 'a' });
  await using commits = await holdCommits();

  const claiming = agent.claim({ max: 1 });
  await whenBlocked(atItsEnd);
  const cancelling = daemon.client.task.cancelAll({ ticketId: ticket.id, states: ['ready'] });
  await whenBlocked('select t.id, t.ticket_id');
  await commits.letGo();
  const [claim] = await claiming;

  expect([(await cancelling).cancelledCount, await stateOf(taskId)]).toEqual([0, 'running']);
  await agent.complete(claim!);
});

/** Two completions of one attempt that share a transaction, since they gather behind one that stands before the visit. */
async function completeTwice(second: Parameters<Awaited<ReturnType<typeof setUpBench>>['agent']['complete']>[1]) {
  const { agent, ticket, submit } = await setUpBench(daemon);
  const ids = await submit({ ref: 'x' }, { ref: 'y' });
  const [x, y] = await agent.claim({ max: 2 });
  await using visit = await holdVisit(ticket.id);
  const stands = agent.complete(x!);
  await whenBlocked('select 1 from phase_visits');
  const both = Promise.allSettled([agent.complete(y!, { output: 'first' }), agent.complete(y!, second)]);
  // Answered over the same connection, after those before it were taken in.
  await agent.client.project.list();
  await visit.letGo();
  await stands;
  const outcomes = (await both).map(({ status }) => status);
  return { outcomes, task: await daemon.client.task.get({ taskId: ids[1]! }) };
}

test('of two completions of one attempt in one transaction the first counts, as it would one after the other', async () => {
  const { outcomes, task } = await completeTwice({ output: 'second' });

  expect(outcomes).toEqual(['fulfilled', 'fulfilled']);
  expect([task.state, task.output]).toEqual(['completed', 'first']);
});

test('a second completion of one attempt that brings too much does not take the first with it', async () => {
  const { outcomes, task } = await completeTwice({ artifacts: [{ type: 't', name: 'n', content: 'x'.repeat(600_000) }] });

  expect(outcomes).toEqual(['fulfilled', 'rejected']);
  expect([task.state, task.output]).toEqual(['completed', 'first']);
});

test('a ticket whose row is held holds up neither submissions to other tickets nor their results', async () => {
  const slow = await setUpBench(daemon);
  const quick = await setUpBench(daemon);
  await Promise.all([slow.submit({}), quick.submit({})]);
  const [late, soon] = [await slow.agent.claimOne(), await quick.agent.claimOne()];
  await using visit = await holdVisit(slow.ticket.id);
  const stuck = [slow.submit({}), slow.agent.complete(late)];
  await whenBlocked('', 2);
  const before = await listBlocked();

  const [added] = await quick.submit({});
  await quick.agent.complete(soon);
  // The others have been standing there all the time.
  const after = await listBlocked();
  await visit.letGo();
  await Promise.all(stuck);

  expect(after).toEqual(before);
  expect([await stateOf(soon.taskId), await stateOf(added), await stateOf(late.taskId)]).toEqual(['completed', 'ready', 'completed']);
});
