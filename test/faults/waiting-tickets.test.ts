import { Client } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { configSchema } from '../../coordinator/src/config.ts';
import { openStore, type Store } from '../../coordinator/src/db/open-store.ts';
import { findLook, listTicketsToAdvance, postponeTicket } from '../../coordinator/src/ticket/ticket.store.ts';
import { createTestDatabase } from '../support/database.ts';
import { explainStatements } from '../support/explain.ts';

let database: Awaited<ReturnType<typeof createTestDatabase>>;
let client: Client;
let store: Store;
beforeAll(async () => {
  database = await createTestDatabase();
  client = new Client(database.url);
  await client.connect();
  store = await openStore(configSchema.parse({ databaseUrl: database.url }));
});
afterAll(async () => {
  await store.close();
  await client.end();
  await database.drop();
});

/** Tickets that wait for people and are to be looked at in an hour, with their titles counted from 1. No coordinator runs. */
async function insertWaiting(count: number): Promise<string[]> {
  const { rows } = await client.query<{ id: string }>(
    'insert into projects (id, name) values (gen_random_uuid(), gen_random_uuid()) returning id',
  );
  const project = rows[0]!.id;
  await client.query(
    "insert into workflows (id, project_id, name, version, definition, digest) values (gen_random_uuid(), $1, 'waits', 1, '{}', '')",
    [project],
  );
  await client.query(
    `insert into tickets (id, project_id, title, priority, workflow_id, phase, visit_id, visit_number, state, automatic, metadata)
       select gen_random_uuid(), $1, n, 'MEDIUM', w.id, 'WAIT', gen_random_uuid(), 1, 'open', true, '{}' from workflows w, generate_series(1, ${count}) n
       where w.project_id = $1`,
    [project],
  );
  await client.query(
    `insert into phase_visits (id, ticket_id, number, phase, moved_by, artifacts, look_again_at)
       select visit_id, id, 1, phase, 'ada', '{}', clock_timestamp() + interval '1 hour' from tickets where project_id = $1`,
    [project],
  );
  return (await client.query<{ id: string }>('select id from tickets where project_id = $1', [project])).rows.map(({ id }) => id);
}

const change = (title: number, what: string) =>
  client.query(`update phase_visits set ${what} where ticket_id = (select id from tickets where title = $1)`, [String(title)]);

test('what a workflow has been told of is looked at before what it looks at by itself, and nobody looks at those that wait', async () => {
  await insertWaiting(3_000);
  for (const title of [1, 2, 3]) await change(title, `look_again_at = clock_timestamp() - interval '${10 - title} minutes'`);
  await change(2_000, "told_at = clock_timestamp() - interval '1 second'");
  await change(1_000, 'told_at = clock_timestamp()');
  await client.query('vacuum analyze phase_visits, tickets');

  const found = await listTicketsToAdvance(store.em.fork(), 4);
  const plans = await explainStatements(database.url, (em) => listTicketsToAdvance(em, 100));

  const { rows } = await client.query<{ id: string; title: string }>('select id, title from tickets');
  const titles = new Map(rows.map(({ id, title }) => [id, title]));
  expect(found.map(({ id }) => titles.get(id))).toEqual(['2000', '1000', '1', '2']);
  const reads = plans
    .flat()
    .flatMap((line) => / on (?:tickets|phase_visits)\b.*rows=([\d.]+) loops=(\d+)/.exec(line)?.slice(1).map(Number) ?? []);
  expect(reads.length).toBeGreaterThan(0);
  expect(Math.max(...reads)).toBeLessThan(10);
});

test('an approval that expires has its ticket looked at once more, and not again and again', async () => {
  const [ticket] = await insertWaiting(1);
  const { rows } = await client.query<{ id: string }>('select visit_id as id from tickets where id = $1', [ticket]);
  const visitId = rows[0]!.id;
  await client.query(
    `insert into approvals (id, project_id, ticket_id, visit_id, phase, visit_number, name, rule, digest, state, expires_at)
       select gen_random_uuid(), project_id, id, visit_id, phase, 1, 'release', '{}', '', 'waiting', clock_timestamp() + interval '1 hour'
       from tickets where id = $1`,
    [ticket],
  );
  const em = store.em.fork();
  const before = (await findLook(em, visitId))!;
  await client.query('update approvals set expires_at = clock_timestamp() where visit_id = $1', [visitId]);
  const after = (await findLook(em, visitId))!;
  const isDue = async () => (await listTicketsToAdvance(em, 10_000)).some(({ id }) => id === ticket);

  await postponeTicket(em, before, 3_600_000);
  expect(await isDue()).toBe(true);

  await postponeTicket(em, after, 3_600_000);
  expect(await isDue()).toBe(false);
});
