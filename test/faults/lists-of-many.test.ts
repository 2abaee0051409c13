import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { listApprovals } from '../../coordinator/src/approval/approval.store.ts';
import { configSchema } from '../../coordinator/src/config.ts';
import { openStore, type Store } from '../../coordinator/src/db/open-store.ts';
import type { EntityManager } from '../../coordinator/src/db/orm.ts';
import { listTasks } from '../../coordinator/src/task/task.store.ts';
import { listTickets } from '../../coordinator/src/ticket/ticket-list.store.ts';
import { createTestDatabase } from '../support/database.ts';
import { explainStatements } from '../support/explain.ts';

/** So many of each kind of row, of which a rare filter leaves three: those that a list from its beginning comes to last. */
const count = 20_000;
const projectId = '00000000-0000-7000-8000-000000000000';
const limit = 2;

let database: Awaited<ReturnType<typeof createTestDatabase>>;
let client: Client;
let store: Store;
beforeAll(async () => {
  database = await createTestDatabase();
  client = new Client(database.url);
  await client.connect();
  store = await openStore(configSchema.parse({ databaseUrl: database.url }));
  await fill();
});
afterAll(async () => {
  await store.close();
  await client.end();
  await database.drop();
});

/** An id made of a number, which sorts as the number does. */
const idOf = (number: string) => `(lpad(to_hex(${number}), 8, '0') || '-0000-7000-8000-000000000000')::uuid`;

async function fill(): Promise<void> {
  await client.query(`insert into projects (id, name) values ('${projectId}', 'many')`);
  await client.query(
    `insert into workflows (id, project_id, name, version, definition, digest)
       select ${idOf('n')}, '${projectId}', case when n = 1 then 'rare' else 'common' end, n, '{}', '' from generate_series(1, 3) n`,
  );
  await client.query(
    `insert into tickets (id, project_id, title, priority, workflow_id, phase, visit_id, visit_number, state, automatic, metadata)
       select ${idOf('n')}, '${projectId}', n, case when n <= 3 then 'CRITICAL' else 'LOW' end,
         case when n <= 3 then ${idOf('1')} else ${idOf('2 + n % 2')} end, case when n <= 3 then 'REVIEW' else 'DONE' end, ${idOf('n')}, 1,
         case when n <= 3 then 'open' else 'closed' end, false, '{}' from generate_series(1, ${count}) n`,
  );
  await client.query(
    `insert into phase_visits (id, ticket_id, number, phase, moved_by, artifacts) select visit_id, id, 1, phase, 'ada', '[]' from tickets`,
  );
  const sets = await client.query<{ id: number }>(
    `insert into capability_sets (project_id, capabilities, digest) values ('${projectId}', '{}', '') returning id`,
  );
  await client.query(
    `insert into tasks (id, project_id, ticket_id, visit_id, phase, type, title, input, state, priority, rank, capability_set_id, locks, pending_dependencies,
         on_dependency_failure, max_attempts, timeout_ms)
       select ${idOf('n')}, '${projectId}', ${idOf('n')}, ${idOf('n')}, 'DONE', 'work', n, '{}',
         coalesce((array['blocked', 'ready', 'running', 'failed', 'cancelled'])[(${count} - n) / 3 + 1], 'completed'), 'LOW', clock_timestamp(), ${sets.rows[0]!.id},
         '[]', 0, 'fail', 1, 1 from generate_series(1, ${count}) n`,
  );
  await client.query(
    `insert into approvals (id, project_id, ticket_id, visit_id, phase, visit_number, name, rule, digest, state)
       select ${idOf('n')}, '${projectId}', ${idOf('n')}, ${idOf('n')}, 'DONE', 1, 'release', '{"name":"release"}', '',
         coalesce((array['waiting', 'refused', 'expired', 'cancelled'])[(${count} - n) / 3 + 1], 'approved') from generate_series(1, ${count}) n`,
  );
}

/** How many rows the statements of a list read from the table, whether they took them or not. */
async function countReads(table: string, list: (em: EntityManager) => Promise<unknown>): Promise<number> {
  const plans = await explainStatements(database.url, list);
  const scans = plans
    .flat()
    .join('\n')
    .split('->')
    .filter((node) => node.includes(` on ${table} `));
  expect(scans).not.toEqual([]);
  return scans.reduce((sum, node) => {
    const [, rows = '', loops = ''] = /actual rows=([\d.]+) loops=(\d+)/.exec(node) ?? [];
    const removed = /Rows Removed by (?:Filter|Index Recheck): (\d+)/.exec(node)?.[1] ?? '0';
    return sum + (Number(rows) + Number(removed)) * Number(loops);
  }, 0);
}

// A planner that has seen the table, and one that has not.
describe.each([
  ['with statistics', 'vacuum analyze tickets, tasks, approvals'],
  ['without', "delete from pg_statistic where starelid in ('tickets'::regclass, 'approvals'::regclass)"],
])('%s', (_, statement) => {
  beforeAll(() => client.query(statement));

  test.each([
    { states: ['open'] },
    { states: ['open', 'cancelled'] },
    { states: ['open', 'closed'] },
    { phase: 'REVIEW' },
    { phase: 'REVIEW', states: ['open'] },
    { priorities: ['CRITICAL'] },
    { priorities: ['CRITICAL', 'HIGH'], states: ['open', 'blocked'] },
    { workflow: 'rare' },
    { workflow: 'common' },
    { workflow: 'rare', states: ['open'], priorities: ['CRITICAL'] },
    { states: ['open', 'blocked'], title: '2' },
    {},
  ] as const)('tickets of $0 are found without a look at the others', async (filters) => {
    expect(await countReads('tickets', (em) => listTickets(em, { projectId, limit, ...filters }))).toBeLessThan(50);
  });

  test.each([[['waiting']], [['refused']], [['expired']], [['cancelled', 'waiting', 'approved']]] as const)(
    'approvals that are %j are found without a look at the others',
    async (states) => {
      expect(await countReads('approvals', (em) => listApprovals(em, { projectId, limit, states }))).toBeLessThan(50);
    },
  );
});

test.each(['blocked', 'ready', 'running', 'failed', 'cancelled'] as const)(
  'tasks that are %s are found without a look at the others',
  async (state) => {
    await client.query('vacuum analyze tasks');

    expect(await countReads('tasks', (em) => listTasks(em, { projectId, limit, states: [state] }))).toBeLessThan(50);
  },
);

test('tickets of several values come newest first, each once, page by page', async () => {
  const pages: string[][] = [];
  let after: string | undefined;
  do {
    const { tickets, next } = await listTickets(store.em.fork(), {
      projectId,
      states: ['open', 'closed', 'open'],
      priorities: ['CRITICAL', 'LOW'],
      title: '1999',
      limit: 5,
      after,
    });
    pages.push(tickets.map(({ title }) => title));
    after = next;
  } while (after !== undefined);

  expect(pages).toEqual([
    ['19999', '19998', '19997', '19996', '19995'],
    ['19994', '19993', '19992', '19991', '19990'],
    ['11999', '1999'],
  ]);
});

test('tickets of a workflow are those of all its versions', async () => {
  const list = async (workflow: string) =>
    (await listTickets(store.em.fork(), { projectId, workflow, limit: 4 })).tickets.map(({ title }) => title);

  expect(await list('common')).toEqual(['20000', '19999', '19998', '19997']);
  expect(await list('rare')).toEqual(['3', '2', '1']);
  expect(await list('unknown')).toEqual([]);
});
