import type { WorkflowDefinitionInput } from '@baton/protocol';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Advancer, openAdvancer } from '../support/advancer.ts';
import { createAskedProgram } from '../support/asked-program.ts';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { followEvents } from '../support/events.ts';
import { eventually } from '../support/eventually.ts';
import { fetchFigures } from '../support/figures.ts';
import { holdCommits } from '../support/hold-commits.ts';
import { uniqueType } from '../support/work.ts';

const plugins = ['@baton/plugin-command'];

let daemon: Daemon;
let other: Advancer;
let database: Client;
beforeAll(async () => {
  daemon = await startDaemon({ store: 'postgresql', config: { plugins } });
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
async function openTicket(gate: Phase['gate'], tasks: Phase['tasks'] = [], { client, connection }: Daemon = daemon) {
  const name = `judged alone ${crypto.randomUUID()}`;
  await client.workflow.put({
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
  const events = await followEvents(connection);
  const { id: ticketId } = await client.ticket.create({ title: 'Judged', workflow: { name } });
  await client.ticket.transition({ ticketId, to: 'CHECK' });
  const leaves = () => events.waitFor('ticket.transitioned', ({ data }) => data.ticketId === ticketId && data.from === 'CHECK');
  return { ticketId, leaves };
}

const outcomes = async (ticketId: string, { client }: Daemon = daemon) =>
  (await client.gate.results({ ticketId })).results.map(({ outcome }) => outcome);

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

  test('is left to a coordinator for as long as it says that it is at it, and given up when another has taken it over', async () => {
    // Its claim is renewed four times in a second, and nobody else looks should it run out.
    await using hasty = await startDaemon({ store: 'postgresql', config: { plugins, leaseMs: 750 } });
    await using observer = await connectTo(hasty);
    await using program = await createAskedProgram();
    const { ticketId, leaves } = await openTicket(
      { tasksMin: 0, validators: [{ ...program.validator, timeoutMs: 600_000 }] },
      undefined,
      hasty,
    );
    const stalled = await program.run(1);
    const readClaim = async () =>
      (await observer.query<{ until: Date }>(`select judging_until as until from phase_visits where id = ${currentVisit}`, [ticketId]))
        .rows[0]!.until;
    const first = await readClaim();

    await eventually(async () => expect(await readClaim()).not.toEqual(first));
    await observer.query(
      `update phase_visits set judging_by = gen_random_uuid(), judging_until = clock_timestamp() + interval '1 hour' where id = ${currentVisit}`,
      [ticketId],
    );

    await stalled.ended;
    expect(await outcomes(ticketId, hasty)).toEqual([]);
    // The other has died as well.
    await observer.query(
      `update phase_visits set judging_until = clock_timestamp(), look_again_at = clock_timestamp() where id = ${currentVisit}`,
      [ticketId],
    );
    (await program.run(2)).exitWith(0);
    expect((await leaves()).data).toMatchObject({ to: 'DONE' });
  });
});

test('a ticket that waits for its turn in one coordinator is judged by another that has a place', async () => {
  await using busy = await startDaemon({ store: 'postgresql', config: { plugins, judgementsMax: 1, pollMs: 100 } });
  await using observer = await connectTo(busy);
  await using idle = await openAdvancer(busy.databaseUrl!, { plugins });
  await using judged = await createAskedProgram();
  await using program = await createAskedProgram();
  const first = await openTicket({ tasksMin: 0, validators: [judged.validator] }, undefined, busy);
  const holds = await judged.run(1);
  const { ticketId, leaves } = await openTicket({ tasksMin: 0, validators: [program.validator] }, undefined, busy);
  const isLookedAt = `select told_at is null as is_looked_at from phase_visits where id = ${currentVisit}`;
  await eventually(async () => expect((await observer.query(isLookedAt, [ticketId])).rows).toEqual([{ is_looked_at: true }]));
  // Then it stands in line.
  const looks = await countLooks(busy);
  await eventually(async () => expect(await countLooks(busy)).toBeGreaterThan(looks + 2));

  const advanced = idle.advance(ticketId);

  (await program.run(1)).exitWith(0);
  expect(await advanced).toBe('done');
  expect((await leaves()).data).toMatchObject({ to: 'DONE' });
  holds.exitWith(0);
  await first.leaves();
  expect(program.runs).toBe(1);
});

test('no ticket waits for a judgement elsewhere that asks no validator', async () => {
  const { ticketId, leaves } = await openTicket({ tasksMin: 0 }, [{ type: uniqueType() }]);
  await database.query(`update phase_visits set judging_by = gen_random_uuid(), judging_until = 'infinity' where id = ${currentVisit}`, [
    ticketId,
  ]);
  await daemon.client.task.cancelAll({ ticketId });

  // The daemon is on its way as well, and may come first.
  expect(await other.advance(ticketId, { mayAsk: false })).not.toBe('unjudged');

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

async function connectTo({ databaseUrl }: Daemon) {
  const client = new Client(databaseUrl);
  await client.connect();
  return Object.assign(client, { [Symbol.asyncDispose]: () => client.end() });
}

const countLooks = async (from: Daemon) => (await fetchFigures(from)).get('baton_loop_duration_seconds_count{loop="ticket advancer"}') ?? 0;

/** How many statements stand before what others hold. */
async function countBlocked(): Promise<number> {
  const { rows } = await database.query<{ count: number }>(
    "select count(*)::int from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
  );
  return rows[0]!.count;
}
