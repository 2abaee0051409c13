import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { GateValidator, WorkflowDefinitionInput } from '@baton/protocol';
import { Client } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createAskedProgram } from '../support/asked-program.ts';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { createTestFolder } from '../support/database.ts';
import { followEvents } from '../support/events.ts';
import { eventually } from '../support/eventually.ts';
import { runStatement } from '../support/stores.ts';

let daemon: Daemon;
let folder: Awaited<ReturnType<typeof createTestFolder>>;
beforeAll(async () => {
  folder = await createTestFolder('checks');
  daemon = await startDaemon({ config: { plugins: ['@baton/plugin-criteria', '@baton/plugin-command'], pluginEvidenceBytesMax: 100_000 } });
});
afterAll(async () => {
  await daemon.stop();
  await folder.remove();
});

type GateInput = NonNullable<WorkflowDefinitionInput['phases'][number]['gate']>;

/** A check that passes in its folder, and crashes for as long as that is not there. */
const checkIn = (cwd: string) => ({ use: 'command', config: { command: ['true'], cwd } });

/** A ticket in CHECK, which is left by itself: forward where the gate passes, back to WRITE once where it refuses, and then blocked. */
async function openTicket(validator: Partial<GateValidator> & { use: string }, gate: GateInput = {}) {
  const name = `crashes ${crypto.randomUUID()}`;
  await daemon.client.workflow.put({
    definition: {
      name,
      phases: [
        { name: 'WRITE' },
        {
          name: 'CHECK',
          advance: 'automatic',
          gate: { tasksMin: 0, validators: [validator], ...gate },
          onRefused: { regressTo: 'WRITE', roundsMax: 1 },
        },
        { name: 'DONE' },
        { name: 'STUCK' },
      ],
      edges: [
        { from: 'WRITE', to: 'CHECK', kind: 'forward' },
        { from: 'CHECK', to: 'DONE', kind: 'forward' },
        { from: 'CHECK', to: 'WRITE', kind: 'regression' },
        { from: 'CHECK', to: 'STUCK', kind: 'block' },
      ],
      blockedPhase: 'STUCK',
    },
  });
  const events = await followEvents(daemon.connection);
  const { id: ticketId } = await daemon.client.ticket.create({ title: 'Finished work', workflow: { name } });
  await daemon.client.ticket.transition({ ticketId, to: 'CHECK' });
  return {
    ticketId,
    hindered: () => events.waitFor('ticket.hindered', ({ data }) => data.ticketId === ticketId),
    leaves: () => events.waitFor('ticket.transitioned', ({ data }) => data.ticketId === ticketId && data.from === 'CHECK'),
  };
}

/** Lets the advancer look at the ticket of CHECK at once, or not before an hour has passed. */
const lookAgain = (ticketId: string, when: 'now' | 'in an hour') =>
  runStatement(
    daemon.databaseUrl!,
    `update phase_visits set look_again_at = clock_timestamp() + interval '${when === 'now' ? 0 : 1} hour' where ticket_id = '${ticketId}' and left_at is null`,
  );

/** From the newest judgement to when the advancer looks again, in seconds by the clock of the database. */
async function readPause(ticketId: string): Promise<number | undefined> {
  const database = new Client(daemon.databaseUrl);
  await database.connect();
  try {
    const { rows } = await database.query<{ pause: number }>(
      `select extract(epoch from look_again_at - (select max(created_at) from gate_results where visit_id = v.id))::float8 as pause
         from phase_visits v where ticket_id = $1 and left_at is null`,
      [ticketId],
    );
    return rows[0]?.pause;
  } finally {
    await database.end();
  }
}

/** Judged a second time, and left alone for twice the ten seconds of the first. */
const isJudgedAgain = (ticketId: string) => eventually(async () => expect(await readPause(ticketId)).toBeGreaterThanOrEqual(20));

test('a check that crashes refuses nothing: the ticket stays with what was done, says why, and goes on when the check can be made', async () => {
  const cwd = join(folder.path, 'later');
  const { ticketId, hindered, leaves } = await openTicket(checkIn(cwd));

  const { data } = await hindered();
  const stays = await daemon.client.ticket.get({ ticketId });
  await mkdir(cwd);
  await lookAgain(ticketId, 'now');
  const left = await leaves();

  expect(data.reason).toMatch(/^The gate of CHECK could not be judged, and will be judged again: command: .*later/);
  expect(stays).toMatchObject({ phase: 'CHECK', state: 'open', visit: 2, blockedReason: data.reason });
  expect(left.data).toMatchObject({ to: 'DONE', kind: 'forward' });
  expect((await daemon.client.ticket.get({ ticketId })).blockedReason).toBeUndefined();
});

test('nor does one that takes too long', async () => {
  await using program = await createAskedProgram();
  const { ticketId, hindered } = await openTicket({ ...program.validator, timeoutMs: 100 });

  await hindered();

  const { results } = await daemon.client.gate.results({ ticketId });
  expect(results[0]?.reasons.map(({ code }) => code)).toEqual(['validator_timeout']);
  expect(await daemon.client.ticket.get({ ticketId })).toMatchObject({ phase: 'CHECK', state: 'open', visit: 2 });
});

test('its crashes are no rounds: the first refusal after them still sends the ticket back', async () => {
  const cwd = join(folder.path, 'rounds');
  const refuses = { use: 'command', config: { command: ['false'], cwd } };
  const { ticketId, hindered, leaves } = await openTicket(refuses);
  await hindered();
  await lookAgain(ticketId, 'now');
  await isJudgedAgain(ticketId);

  await mkdir(cwd);
  await lookAgain(ticketId, 'now');

  expect((await leaves()).data).toMatchObject({ to: 'WRITE', kind: 'regression' });
});

test('what is refused beside a crash is refused', async () => {
  const criteria = [{ artifact: 'size', path: 'n', op: '>' as const, value: 1 }];
  const { leaves } = await openTicket(checkIn(join(folder.path, 'never')), { criteria });

  expect((await leaves()).data).toMatchObject({ to: 'WRITE', kind: 'regression' });
});

test('what is too large to be shown to a check is refused, since it can be made smaller', async () => {
  const { ticketId, hindered, leaves } = await openTicket(checkIn(join(folder.path, 'never')));
  await hindered();

  await daemon.client.artifact.put({ ticketId, artifact: { type: 'log', content: 'x'.repeat(200_000) } });

  expect((await leaves()).data).toMatchObject({ to: 'WRITE', kind: 'regression' });
});

test('whoever has mended the check need not wait until it is made again by itself', async () => {
  const cwd = join(folder.path, 'mended');
  const { ticketId, hindered, leaves } = await openTicket(checkIn(cwd));
  await hindered();
  await lookAgain(ticketId, 'in an hour');
  await mkdir(cwd);

  await daemon.client.gate.validate({ ticketId });

  expect((await leaves()).data).toMatchObject({ to: 'DONE' });
});

test('nor for as long when the gate refuses then: the phase does what it has for that', async () => {
  await using program = await createAskedProgram();
  const { ticketId, hindered, leaves } = await openTicket(program.validator);
  (await program.run(1)).crash();
  await hindered();
  await lookAgain(ticketId, 'in an hour');

  const validated = daemon.client.gate.validate({ ticketId });
  (await program.run(2)).exitWith(1);

  expect((await validated).outcome).toBe('failed');
  expect((await leaves()).data).toMatchObject({ to: 'WRITE', kind: 'regression' });
});

test('what is written down about a ticket has its check not made again', async () => {
  await using program = await createAskedProgram();
  const { ticketId, hindered } = await openTicket(program.validator);
  (await program.run(1)).crash();
  await hindered();
  await lookAgain(ticketId, 'in an hour');

  const item = { kind: 'decision', text: 'The check is looked after.' } as const;
  const { citation } = await daemon.client.context.note({ ticketId, item });
  await daemon.client.context.pin({ ticketId, citation, pinned: true });
  const other = await openTicket(program.validator);

  // The advancer looks at the one as early as at the other.
  (await program.run(2)).exitWith(0);
  expect((await other.leaves()).data).toMatchObject({ to: 'DONE' });
  expect((await daemon.client.gate.results({ ticketId })).results).toHaveLength(1);
  expect(await readPause(ticketId)).toBeGreaterThan(3_000);
});

test('evidence that comes while a check is under way is judged at once, however long the ticket would be left alone', async () => {
  await using program = await createAskedProgram();
  const { ticketId, hindered, leaves } = await openTicket(program.validator);
  (await program.run(1)).crash();
  await hindered();
  // As if it had crashed ten times more: the next time is ten minutes away.
  await runStatement(
    daemon.databaseUrl!,
    `insert into gate_results select gen_random_uuid(), ticket_id, visit_id, phase, visit_number, outcome, digest, looks_outside, judged, reasons, verdicts, duration_ms, created_at
       from gate_results, generate_series(1, 10) where ticket_id = '${ticketId}'`,
  );
  await lookAgain(ticketId, 'now');
  const underWay = await program.run(2);

  await daemon.client.artifact.put({ ticketId, artifact: { type: 'log', content: 'More.' } });
  // The advancer has heard of it when it has moved another ticket that came later.
  await (await openTicket(checkIn(folder.path))).leaves();
  underWay.crash();

  (await program.run(3)).exitWith(0);
  expect((await leaves()).data).toMatchObject({ to: 'DONE' });
});

test('it is made again less and less often, and told once', async () => {
  const { ticketId, hindered } = await openTicket(checkIn(join(folder.path, 'missing')));
  await hindered();

  await lookAgain(ticketId, 'now');
  await isJudgedAgain(ticketId);

  const { events } = await daemon.client.event.list({ ticketId, limit: 1_000 });
  expect(events.filter(({ name }) => name === 'ticket.hindered')).toHaveLength(1);
});
