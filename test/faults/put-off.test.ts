import { Client } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { dueMax, lockCandidates, putDueBack } from '../../coordinator/src/task/match.store.ts';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { explainStatements } from '../support/explain.ts';
import { setUpBench } from '../support/work.ts';

let daemon: Daemon;
let database: Client;
beforeAll(async () => {
  daemon = await startDaemon({ store: 'postgresql' });
  database = new Client(daemon.databaseUrl);
  await database.connect();
});
afterAll(async () => {
  await database.end();
  await daemon.stop();
});

const manyTasks = 5_000;

/** Makes many tasks of one, as a long submission would. */
async function multiply(taskId: string, count = manyTasks): Promise<void> {
  const { rows } = await database.query<{ column_name: string }>(
    "select column_name from information_schema.columns where table_name = 'tasks' and column_name not in ('id', 'rank')",
  );
  const columns = rows.map(({ column_name: name }) => name).join(', ');
  await database.query(
    `insert into tasks (id, rank, ${columns}) select gen_random_uuid(), rank + n * interval '1 microsecond', ${columns} from tasks, generate_series(1, $2::int) n where id = $1`,
    [taskId, count],
  );
}

/** Of what a claim for this task looks at in the database, how many rows it reads and does not take. */
async function countPassedOver(taskId: string, agentId: string): Promise<number> {
  const { rows } = await database.query<{ id: number; project_id: string }>(
    'select c.id, c.project_id from capability_sets c join tasks t on t.capability_set_id = c.id where t.id = $1',
    [taskId],
  );
  const [{ id, project_id: projectId }] = rows as [(typeof rows)[0]];
  const plans = await explainStatements(daemon.databaseUrl!, async (em) => {
    await putDueBack(em, projectId);
    await lockCandidates(em, { projectId, sets: [{ id, capabilities: [], agentIds: [agentId] }], limit: 33 });
  });
  expect(plans).toHaveLength(2);
  return plans
    .flat()
    .reduce((sum, line) => sum + Number(/Rows Removed by (?:Index Recheck|(?:Join )?Filter): (\d+)/.exec(line)?.[1] ?? 0), 0);
}

// A planner that has seen the table, and one that has not.
const statistics = [
  ['with statistics', 'vacuum analyze tasks'],
  ['without', 'delete from pg_statistic where starelid = $$tasks$$::regclass'],
] as const;

for (const [when, statement] of statistics) {
  test(`${when}, a claim passes by thousands of tasks whose time has not come without a look at them`, async () => {
    const { agent, submit } = await setUpBench(daemon);
    const [delayed] = await submit({ priority: 'CRITICAL', delayMs: 3_600_000 });
    await multiply(delayed!);
    const [now] = await submit({ priority: 'LOW' });
    await database.query(statement);

    expect(await countPassedOver(delayed!, agent.session.agentId)).toBe(0);
    expect((await agent.claim({})).map(({ taskId }) => taskId)).toEqual([now]);
  });

  test(`${when}, a claim passes by thousands of tasks that are kept for another without a look at them`, async () => {
    const { agent, submit, type } = await setUpBench(daemon);
    const other = await daemon.connectAgent({ capabilities: [type], capacity: 1 });
    const [kept] = await submit({ priority: 'CRITICAL' });
    await daemon.client.scheduler.assign({ taskIds: [kept!], agentIds: [other.session.agentId], forMs: 600_000 });
    await multiply(kept!);
    const [forAnybody] = await submit({ priority: 'LOW' });
    await database.query(statement);

    expect(await countPassedOver(kept!, agent.session.agentId)).toBe(0);
    expect((await agent.claim({})).map(({ taskId }) => taskId)).toEqual([forAnybody]);
  });
}

test('of more tasks that become due at once than one round looks after none is forgotten', async () => {
  const { agent, submit } = await setUpBench(daemon, { capacity: 1_000 });
  const [delayed] = await submit({ delayMs: 3_600_000 });
  await multiply(delayed!, dueMax + 200);
  await database.query('update tasks set run_at = clock_timestamp() where type = (select type from tasks where id = $1)', [delayed]);

  let claimed = 0;
  for (let found = -1; found !== 0; claimed += found) found = (await agent.claim({ max: 50 })).length;

  expect(claimed).toBe(dueMax + 201);
});
