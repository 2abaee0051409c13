import { Client } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { holdCommits } from '../support/hold-commits.ts';
import { eventually } from '../support/eventually.ts';
import { fetchFigures } from '../support/figures.ts';
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

/** Waits until a statement that begins like this stands before a row that somebody else holds. */
const waitForBlocked = (beginning: string) =>
  eventually(async () => {
    const { rows } = await database.query<{ count: number }>(
      "select count(*)::int from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock' and ltrim(query) like $1 || '%'",
      [beginning],
    );
    expect(rows[0]!.count).toBe(1);
  });
const atItsEnd = 'with stream as';
const beforeItsSession = 'select s.id, s.project_id';

test('of two agents that ask at once the one is not sent away because only the other may do what stands first', async () => {
  const { agent: author, type, submit } = await setUpBench(here);
  await submit({ ref: 'code' });
  await author.complete(await author.claimOne());
  const reviewer = await here.connectAgent({ capabilities: [type], capacity: 1 });
  const first = await here.connectAgent({ capabilities: [type], capacity: 1 });
  await submit(...Array.from({ length: 60 }, () => ({ notBy: ['code'] })));
  const [forAnybody] = await submit({ title: 'for anybody' });

  // While the first is served the two others gather, and are served together.
  await using obstacle = await holdCommits(here);
  const claims = [first.claim({ max: 1 })];
  await waitForBlocked(atItsEnd);
  claims.push(reviewer.claim({ max: 1 }), author.claim({ max: 1 }));
  await eventually(async () => expect((await fetchFigures(here)).get('baton_claims_parked')).toBe(3));
  await obstacle.letGo();
  const [, byReviewer, byAuthor] = await Promise.all(claims);

  expect(byReviewer).toHaveLength(1);
  expect(byAuthor!.map(({ taskId }) => taskId)).toEqual([forAnybody]);
});

test('once what an agent says of itself is acknowledged, no claim under way goes by what it said before', async () => {
  const { agent, submit } = await setUpBench(here, { capacity: 10 });
  await submit({}, {}, {});
  await using obstacle = await holdCommits(here);
  const claiming = agent.claim({ max: 3 });
  await waitForBlocked(atItsEnd);

  const updating = agent.client.agent.update({ capacity: 1 });
  await waitForBlocked(beforeItsSession);
  await obstacle.letGo();

  expect(await claiming).toHaveLength(3);
  // What the claim gave it is known to the answer.
  expect((await updating).running).toBe(3);
});

test('a task that became due in the claim of somebody who may not have it is offered to those who wait at another coordinator', async () => {
  const { agent, submit, ticket } = await setUpBench(here);
  const type = uniqueType();
  const other = await elsewhere.connectAgent({ capabilities: [type] });
  const { tasks } = await here.client.task.submit({ ticketId: ticket.id, tasks: [{ type, delayMs: 100 }] });
  const [delayed] = tasks;
  await submit({});
  // Longer ago than any timer that tells of it is late.
  await eventually(async () => {
    const { rows } = await database.query("select 1 from tasks where id = $1 and run_at < clock_timestamp() - interval '300 ms'", [
      delayed!.id,
    ]);
    expect(rows).toHaveLength(1);
  });
  await using obstacle = await holdCommits(here);
  const first = agent.claim({ max: 1 });
  await waitForBlocked(atItsEnd);

  // It looks while the first claim holds the task, and finds nothing.
  const waiting = other.claim({ max: 1, waitMs: 20_000 });
  expect(await other.claim({ max: 1 })).toEqual([]);
  await obstacle.letGo();

  expect(await first).toHaveLength(1);
  expect((await waiting).map(({ taskId }) => taskId)).toEqual([delayed!.id]);
});
