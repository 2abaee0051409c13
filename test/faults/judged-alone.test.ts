import type { WorkflowDefinitionInput } from '@baton/protocol';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Advancer, openAdvancer } from '../support/advancer.ts';
import { createAskedProgram } from '../support/asked-program.ts';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { followEvents } from '../support/events.ts';
import { eventually } from '../support/eventually.ts';
import { holdCommits } from '../support/hold-commits.ts';
import { uniqueType } from '../support/work.ts';

const plugins = ['@baton/plugin-command'];

let daemon: Daemon;
let other: Advancer;
let database: Client;
beforeAll(async () => {
  // Its claim on a judgement is renewed twice in a second.
  daemon = await startDaemon({ store: 'postgresql', config: { plugins, leaseMs: 1_500 } });
  other = await openAdvancer(daemon.databaseUrl!, { plugins });
  database = new Client(daemon.databaseUrl);
  await database.connect();
});
afterAll(async () => {
  await database.end();
  await other[Symbol.asyncDispose]();
  await daemon.stop();
});

type Phase = WorkflowDefinitionInput['phases'][number];

/** A ticket that leaves CHECK by itself, forward where the gate passes, back to MADE where it does not. */
async function openTicket(gate: Phase['gate'], tasks: Phase['tasks'] = []) {
  const name = `judged alone ${crypto.randomUUID()}`;
  await daemon.client.workflow.put({
    definition: {
      name,
      phases: [{ name: 'MADE' }, { name: 'CHECK', advance: 'automatic', tasks, gate, onRefused: { regressTo: 'MADE' } }, { name: 'DONE' }],
      edges: [
        { from: 'MADE', to: 'CHECK', kind: 'forward' },
        { from: 'CHECK', to: 'MADE', kind: 'regression' },
        { from: 'CHECK', to: 'DONE', kind: 'forward' },
      ],
    },
  });
  const events = await followEvents(daemon.connection);
  const { id: ticketId } = await daemon.client.ticket.create({ title: 'Judged', workflow: { name } });
  await daemon.client.ticket.transition({ ticketId, to: 'CHECK' });
  const leaves = () => events.waitFor('ticket.transitioned', ({ data }) => data.ticketId === ticketId && data.from === 'CHECK');
  return { ticketId, leaves };
}

const outcomes = async (ticketId: string) => (await daemon.client.gate.results({ ticketId })).results.map(({ outcome }) => outcome);

const currentVisit = '(select visit_id from tickets where id = $1)';

describe('a judgement of a gate', () => {
  test('is made by one coordinator, however many look', async () => {
    await using program = await createAskedProgram();
    const { ticketId, leaves } = await openTicket({ tasksMin: 0, validators: [program.validator] });
    const run = await program.run(1);

    expect(await other.advance(ticketId)).toBe('done');

    expect(program.runs).toBe(1);
    run.exitWith(0);
    expect((await leaves()).data).toMatchObject({ to: 'DONE' });
    expect(await outcomes(ticketId)).toEqual(['passed']);
  });

  test('is left to a coordinator for as long as it says that it is at it', async () => {
    await using program = await createAskedProgram();
    const { ticketId, leaves } = await openTicket({ tasksMin: 0, validators: [program.validator] });
    const run = await program.run(1);
    const readClaim = async () =>
      (await database.query<{ until: Date }>(`select judging_until as until from phase_visits where id = ${currentVisit}`, [ticketId]))
        .rows[0]!.until;
    const first = await readClaim();

    await eventually(async () => expect(await readClaim()).not.toEqual(first));

    run.exitWith(0);
    await leaves();
  });

  test('is given up when another has taken it over', async () => {
    await using program = await createAskedProgram();
    const { ticketId, leaves } = await openTicket({ tasksMin: 0, validators: [{ ...program.validator, timeoutMs: 600_000 }] });
    const stalled = await program.run(1);

    await database.query(
      `update phase_visits set judging_by = gen_random_uuid(), judging_until = clock_timestamp() + interval '1 hour' where id = ${currentVisit}`,
      [ticketId],
    );

    await stalled.ended;
    expect(await outcomes(ticketId)).toEqual([]);
    // The other has died as well.
    await database.query(`update phase_visits set judging_until = clock_timestamp(), look_again_at = null where id = ${currentVisit}`, [
      ticketId,
    ]);
    (await program.run(2)).exitWith(0);
    expect((await leaves()).data).toMatchObject({ to: 'DONE' });
  });
});

test('no ticket waits for a judgement elsewhere that asks no validator', async () => {
  const { ticketId, leaves } = await openTicket({ tasksMin: 0 }, [{ type: uniqueType() }]);
  await database.query(`update phase_visits set judging_by = gen_random_uuid(), judging_until = 'infinity' where id = ${currentVisit}`, [
    ticketId,
  ]);
  await daemon.client.task.cancelAll({ ticketId });

  expect(await other.advance(ticketId, { mayAsk: false })).toBe('done');

  expect((await leaves()).data).toMatchObject({ to: 'DONE' });
});

test('a refusal of what has changed meanwhile sends nothing back: what is there now is judged', async () => {
  await using program = await createAskedProgram();
  const { ticketId, leaves } = await openTicket({ tasksMin: 0, validators: [program.validator] });
  const run = await program.run(1);
  await daemon.client.artifact.put({ ticketId, artifact: { type: 'fix', content: 'Better.' } });

  run.exitWith(1);

  (await program.run(2)).exitWith(0);
  expect((await leaves()).data).toMatchObject({ to: 'DONE' });
  expect(await outcomes(ticketId)).toEqual(['failed', 'passed']);
});

test('a refusal that several coordinators see at the same time is counted once', async () => {
  // It waits for its task, and then for whoever looks, with its refusal recorded.
  const { ticketId, leaves } = await openTicket({ tasksMin: 0, artifacts: ['never'] }, [{ type: uniqueType() }]);
  await database.query('update tickets set automatic = false where id = $1', [ticketId]);
  const { tasks } = await daemon.client.task.list({ ticketId });
  await daemon.client.task.cancel({ taskId: tasks[0]!.id });
  await daemon.client.gate.validate({ ticketId });
  await using third = await openAdvancer(daemon.databaseUrl!, { plugins: [] });
  await using commits = await holdCommits(daemon);

  await database.query('update tickets set automatic = true where id = $1', [ticketId]);
  const looks = Promise.all([other.advance(ticketId), third.advance(ticketId)]);
  await eventually(async () => expect(await countBlocked()).toBeGreaterThanOrEqual(2));
  await commits.letGo();

  await looks;
  expect((await leaves()).data).toMatchObject({ to: 'MADE' });
  const { rows } = await database.query(`select refusals from phase_visits where ticket_id = $1 and phase = 'CHECK'`, [ticketId]);
  expect(rows).toEqual([{ refusals: 1 }]);
});

/** How many statements stand before what others hold. */
async function countBlocked(): Promise<number> {
  const { rows } = await database.query<{ count: number }>(
    "select count(*)::int from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
  );
  return rows[0]!.count;
}
