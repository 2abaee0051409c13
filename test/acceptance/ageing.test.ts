import { Client } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Daemon, startDaemon } from '../support/daemon.ts';
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

/** As if the task had been submitted so much earlier: its clock is the database's, which nobody can turn back. */
const age = (taskId: string, by: string) =>
  database.query(
    'update tasks set created_at = created_at - $2::interval, rank = rank - $2::interval, run_at = run_at - $2::interval where id = $1',
    [taskId, by],
  );

test.each([
  ['LOW', '2 hours 1 second', ['old', 'new']],
  ['LOW', '1 hour 59 minutes', ['new', 'old']],
  ['MEDIUM', '1 hour 46 minutes', ['old', 'new']],
  ['HIGH', '1 hour 1 minute', ['old', 'new']],
  ['HIGH', '59 minutes', ['new', 'old']],
] as const)(
  'D8 a task of priority %s that has waited %s and a newer CRITICAL one are handed out as %j',
  async (priority, waited, order) => {
    const { agent, submit } = await setUpBench(daemon);
    const [old] = await submit({ ref: 'old', priority });
    await age(old!, waited);
    await submit({ ref: 'new', priority: 'CRITICAL' });

    const claims = [await agent.claimOne(), await agent.claimOne()];

    expect(claims.map(({ ref }) => ref)).toEqual(order);
  },
);
