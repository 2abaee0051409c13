import { Client } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { eventually } from '../support/eventually.ts';
import { holdCommits } from '../support/hold-commits.ts';

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

test('nobody is asked to approve what is being replaced while it is judged', async () => {
  const { client } = daemon;
  const workflow = { name: `replaced ${crypto.randomUUID()}` };
  const gate = { tasksMin: 0, approvals: [{ name: 'release' }] };
  await client.workflow.put({
    definition: { ...workflow, phases: [{ name: 'WORK', gate }, { name: 'DONE' }], edges: [{ from: 'WORK', to: 'DONE', kind: 'forward' }] },
  });
  const { id: ticketId } = await client.ticket.create({ title: 'To be approved', workflow });
  await using commits = await holdCommits(daemon);
  const stored = client.artifact.put({ ticketId, artifact: { type: 'notes', content: 'Better.' } });
  await eventually(async () => expect(await countBlocked()).toBe(1));
  const judged = client.gate.validate({ ticketId });
  await eventually(async () => expect(await countBlocked()).toBe(2));

  await commits.letGo();
  await Promise.all([stored, judged]);

  expect((await client.approval.list({ ticketId, states: ['waiting', 'cancelled'] })).approvals).toEqual([]);
  expect(await client.gate.status({ ticketId })).toMatchObject({ stale: true });
});

/** How many statements stand before what others hold. */
async function countBlocked(): Promise<number> {
  const { rows } = await database.query<{ count: number }>(
    "select count(*)::int from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
  );
  return rows[0]!.count;
}
