import { createClient } from '@baton/protocol';
import { callOverHttp, connect } from '@baton/sdk/connection';
import { Client } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { holdCommits } from '../support/hold-commits.ts';
import { eventually } from '../support/eventually.ts';
import { fetchFigures } from '../support/figures.ts';
import { registerTestAgent } from '../support/test-agent.ts';
import { setUpBench, uniqueType } from '../support/work.ts';

// Neither looks by itself for a minute: what is found is found because of a hint.
let here: Daemon;
let elsewhere: Daemon;
let database: Client;
beforeAll(async () => {
  here = await startDaemon({ config: { pollMs: 60_000 } });
  elsewhere = await startDaemon({ databaseUrl: here.databaseUrl!, config: { pollMs: 60_000 } });
  database = new Client(here.databaseUrl);
  await database.connect();
});
afterAll(async () => {
  await database.end();
  await elsewhere.stop();
  await here.stop();
});

const readFigure = async (name: string) => (await fetchFigures(here)).get(name) ?? 0;

/** Waits until so many statements that begin like this stand before a row that somebody else holds. */
const waitForBlocked = (beginning: string, count = 1) =>
  eventually(async () => {
    const { rows } = await database.query<{ count: number }>(
      "select count(*)::int from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock' and ltrim(query) like $1 || '%'",
      [beginning],
    );
    expect(rows[0]!.count).toBe(count);
  });
const atItsEnd = 'with stream as';
const beforeTheSession = 'select 1 from sessions';

test('what a claim passed over is offered to those that wait at another coordinator', async () => {
  const { type, agent, submit } = await setUpBench(here, { capacity: 1 });
  const other = await elsewhere.connectAgent({ capabilities: [type], capacity: 1 });
  await submit({}, {}, {});
  await using obstacle = await holdCommits(here);
  const first = agent.claim({ max: 1 });
  await waitForBlocked(atItsEnd);

  // It looks while the first claim holds all three, and finds nothing.
  const second = other.claim({ max: 1, waitMs: 20_000 });
  await other.claim({ max: 1 });
  await obstacle.letGo();

  const taken = (await Promise.all([first, second])).flat().map(({ taskId }) => taskId);
  expect(new Set(taken).size).toBe(2);
});

test('an attempt that a repeated claim was answered with is not taken back because the first call has gone', async () => {
  for (let round = 0; round < 8; round += 1) {
    const { agent, submit } = await setUpBench(here);
    await submit({});
    const idempotencyKey = crypto.randomUUID();
    const leave = new AbortController();
    await using obstacle = await holdCommits(here);
    const gone = agent.client.task.claim({ idempotencyKey }, { signal: leave.signal }).catch(() => undefined);
    await waitForBlocked(atItsEnd);
    leave.abort();
    await gone;

    // The same call at the other coordinator: it stands before the session, which the first still holds.
    const again = createClient(callOverHttp({ url: elsewhere.httpUrl, token: here.token, sessionToken: agent.session.resumeToken }));
    const repeated = again.task.claim({ idempotencyKey, waitMs: 50_000 });
    await waitForBlocked(beforeTheSession);
    await obstacle.letGo();
    const { claims } = await repeated;
    // Whatever the first call still has to do is done once a claim after it has been answered.
    await agent.claim({});

    expect((await agent.complete(claims[0]!)).state).toBe('completed');
  }
});

test('one call that waits on two connections is given its tasks once', async () => {
  const { agent, submit } = await setUpBench(here);
  const call = { max: 1, waitMs: 50_000, idempotencyKey: crypto.randomUUID() };
  const again = createClient(callOverHttp({ url: here.httpUrl, token: here.token, sessionToken: agent.session.resumeToken }));
  const both = [agent.client.task.claim(call), again.task.claim(call)];
  await eventually(async () => expect(await readFigure('baton_claims_parked')).toBe(2));

  await submit({}, {});
  const [first, second] = await Promise.all(both);

  expect(second).toEqual(first);
  expect(first!.claims).toHaveLength(1);
});

/** A task that the doer of this one may not be the author of. */
const exclude = (taskIds: readonly string[], authorTaskId: string) =>
  database.query('insert into task_exclusions select id, $2 from unnest($1::uuid[]) as id on conflict do nothing', [taskIds, authorTaskId]);

test('W4 a thousand tasks that an agent may not do do not hide the one that it may', async () => {
  const { agent: author, type, submit } = await setUpBench(here);
  const [work] = await submit({ ref: 'work' });
  await author.complete(await author.claimOne());
  const reviews = await submit(...Array.from({ length: 1_000 }, () => ({ priority: 'HIGH' as const })));
  await exclude(reviews, work!);
  const [other] = await submit({ ref: 'other', priority: 'LOW' });

  const byAuthor = await author.claim({ max: 1 });
  const reviewer = await here.connectAgent({ capabilities: [type] });
  const byReviewer = await reviewer.claim({ max: 3 });

  expect(byAuthor.map(({ taskId }) => taskId)).toEqual([other]);
  expect(byReviewer.every(({ taskId }) => reviews.includes(taskId))).toBe(true);
  expect(byReviewer).toHaveLength(3);
});

test('the author of a task is never given its review, however many agents claim at once', async () => {
  const { ticket, type } = await setUpBench(here);
  const agents = await Promise.all(
    Array.from({ length: 6 }, (_, index) => (index % 2 === 0 ? here : elsewhere).connectAgent({ capabilities: [type], capacity: 2 })),
  );
  const pairs = Array.from({ length: 30 }, (_, index) => [
    { ref: `work-${index}`, type },
    { ref: `review-${index}`, type, dependsOn: [`work-${index}`], notBy: [`work-${index}`] },
  ]).flat();
  const { tasks } = await here.client.task.submit({ ticketId: ticket.id, tasks: pairs });

  let done = 0;
  await Promise.all(
    agents.map(async (agent) => {
      while (done < tasks.length) {
        for (const claim of await agent.claim({ max: 2, waitMs: 200 })) {
          await agent.complete(claim);
          done += 1;
        }
      }
    }),
  );

  const details = await Promise.all(tasks.map(({ id }) => here.client.task.get({ taskId: id })));
  const doerOf = new Map(details.map(({ ref, agentId }) => [ref, agentId]));
  const selfReviewed = Array.from({ length: 30 }, (_, index) => index).filter(
    (index) => doerOf.get(`work-${index}`) === doerOf.get(`review-${index}`),
  );
  expect(details.every(({ state }) => state === 'completed')).toBe(true);
  expect(selfReviewed).toEqual([]);
});

test('of a version that is needed only who has it is given the task', async () => {
  const { ticket, type } = await setUpBench(here);
  const old = await here.connectAgent({ capabilities: [`${type}@20.1.0`] });
  const vague = await here.connectAgent({ capabilities: [type] });
  const able = await here.connectAgent({ capabilities: [`${type}@24.2.0`, 'more', 'and-more'] });
  await here.client.task.submit({
    ticketId: ticket.id,
    tasks: [
      { type: 'build', capabilities: [`${type}@>=22`] },
      { type: 'build', capabilities: [type] },
    ],
  });

  const byOld = await old.claim({ max: 5 });
  const byVague = await vague.claim({ max: 5 });
  const byAble = await able.claim({ max: 5 });

  expect([byOld.length, byVague.length, byAble.length]).toEqual([1, 0, 1]);
});

test('an agent of many kinds of tasks is given the first in rank of them all, and holds no more than it needs', async () => {
  const { ticket, type } = await setUpBench(here);
  const kinds = Array.from({ length: 40 }, (_, index) => `${type}-${index}`);
  const tasks = kinds.flatMap((kind, index) =>
    Array.from({ length: 5 }, () => ({ type: kind, priority: index === 39 ? ('CRITICAL' as const) : ('LOW' as const) })),
  );
  await here.client.task.submit({ ticketId: ticket.id, tasks });
  const agent = await here.connectAgent({ capabilities: kinds, capacity: 5 });
  const other = await elsewhere.connectAgent({ capabilities: kinds, capacity: 100 });
  await using obstacle = await holdCommits(here);
  const first = agent.claim({ max: 5 });
  await waitForBlocked(atItsEnd);

  // What the first claim holds is passed over; were that all two hundred, nothing would be left.
  const second = other.claim({ max: 100 });
  await waitForBlocked(atItsEnd, 2);
  await obstacle.letGo();
  const claims = await first;

  expect(claims.map((claim) => claim.type)).toEqual(Array.from({ length: 5 }, () => kinds[39]));
  expect((await second).length).toBeGreaterThan(50);
});

test('claims that come while a round is under way share the next transaction', async () => {
  const { agent, type, ticket, submit } = await setUpBench(here);
  const others = await Promise.all(Array.from({ length: 20 }, () => here.connectAgent({ capabilities: [type], capacity: 1 })));
  await submit(...Array.from({ length: 21 }, () => ({})));
  await using obstacle = await holdCommits(here);
  const first = agent.claim({ max: 1 });
  await waitForBlocked(atItsEnd);
  const inFlight = await readFigure('baton_calls_in_flight');

  const rest = others.map((other) => other.claim({ max: 1 }));
  await eventually(async () => expect(await readFigure('baton_calls_in_flight')).toBeGreaterThanOrEqual(inFlight + others.length));
  await obstacle.letGo();
  const claims = await Promise.all([first, ...rest]);

  const { rows } = await database.query<{ count: number }>(
    'select count(*)::int from tasks where ticket_id = $1 group by xmin order by 1',
    [ticket.id],
  );
  expect(claims.flat()).toHaveLength(21);
  // The first, perhaps one that began beside it, and all others.
  expect(rows.length).toBeLessThanOrEqual(3);
  expect(rows.at(-1)!.count).toBeGreaterThanOrEqual(10);
});

test('a project with a hundred thousand ready tasks and many agents does not starve another', async () => {
  await using daemon = await startDaemon({ config: { matchRoundsMax: 1 } });
  await daemon.client.project.create({ name: 'small' });
  const { token } = await daemon.client.token.create({ name: 'admin', role: 'admin', project: 'small' });
  const type = uniqueType();
  const ticket = await daemon.client.ticket.create({ title: 'Much to do' });
  await daemon.client.ticket.transition({ ticketId: ticket.id, to: 'REQUIREMENTS' });
  const { tasks } = await daemon.client.task.submit({ ticketId: ticket.id, tasks: [{ type }] });
  await multiply(daemon.databaseUrl!, tasks[0]!.id, 100_000);
  const small = await connect({ url: daemon.url, token, reconnect: false });
  const own = await small.client.ticket.create({ title: 'A little' });
  await small.client.ticket.transition({ ticketId: own.id, to: 'REQUIREMENTS' });
  const agents = await Promise.all(Array.from({ length: 20 }, () => daemon.connectAgent({ capabilities: [type], capacity: 5 })));

  const over = new AbortController();
  let doneByMany = 0;
  let answered = 0;
  const many = agents.map(async (agent) => {
    while (!over.signal.aborted) {
      const claims = await agent.claim({ max: 5 });
      answered += 1;
      for (const claim of claims) {
        await agent.complete(claim);
        doneByMany += 1;
      }
    }
  });
  const passedBy: number[] = [];
  const lone = await registerTestAgent(small, { capabilities: [type], capacity: 1 });
  for (let step = 0; step < 20; step += 1) {
    await small.client.task.submit({ ticketId: own.id, tasks: [{ type }] });
    const before = answered;
    const claim = await lone.claimOne();
    passedBy.push(answered - before);
    await lone.complete(claim);
  }
  over.abort();
  await Promise.all(many);
  await small.close();

  // A round answers each of the others once at most: one round is under way when the claim comes, one may have been next, and
  // answers are on their way. Whoever were served after all the others would see them again and again.
  expect(Math.max(...passedBy)).toBeLessThanOrEqual(3 * agents.length);
  expect(doneByMany).toBeGreaterThan(20);
});

/** Makes many tasks of one, as a long submission would. */
async function multiply(url: string, taskId: string, count: number): Promise<void> {
  const connection = new Client(url);
  await connection.connect();
  const { rows } = await connection.query<{ column_name: string }>(
    "select column_name from information_schema.columns where table_name = 'tasks' and column_name not in ('id', 'rank')",
  );
  const columns = rows.map(({ column_name: name }) => name).join(', ');
  await connection.query(
    `insert into tasks (id, rank, ${columns}) select gen_random_uuid(), rank + n * interval '1 microsecond', ${columns} from tasks, generate_series(1, ${count}) n where id = $1`,
    [taskId],
  );
  await connection.query('analyze tasks');
  await connection.end();
}

test('tasks that nobody present can do are never looked at', async () => {
  await using daemon = await startDaemon();
  const databaseUrl = daemon.databaseUrl!;
  const { ticket, type, agent } = await setUpBench(daemon);
  const { tasks } = await daemon.client.task.submit({
    ticketId: ticket.id,
    tasks: [{ type: 'nobody-does-this', priority: 'CRITICAL' }, { type }, { type }],
  });
  await multiply(databaseUrl, tasks[0]!.id, 20_000);
  await agent.claimOne();
  // What a connection has read is told for certain when it ends.
  const beside = await startDaemon({ databaseUrl });
  const able = await beside.connectAgent({ capabilities: [type] });
  const before = await countReads(databaseUrl);

  const claims = await able.claim({ max: 1 });
  await beside.stop();
  const after = await eventually(async () => {
    const counted = await countReads(databaseUrl);
    expect(counted.scans).toBeGreaterThan(before.scans);
    return counted;
  });

  expect(claims.map(({ taskId }) => taskId)).toEqual([tasks[2]!.id]);
  expect(after.tuples - before.tuples).toBeLessThan(1_000);
});

async function countReads(url: string): Promise<{ scans: number; tuples: number }> {
  const connection = new Client(url);
  await connection.connect();
  const { rows } = await connection.query<{ scans: number; tuples: number }>(
    "select idx_scan::int as scans, idx_tup_read::int as tuples from pg_stat_user_indexes where indexrelname = 'tasks_ready'",
  );
  await connection.end();
  return rows[0]!;
}
