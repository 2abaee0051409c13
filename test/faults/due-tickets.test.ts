import type { WorkflowDefinitionInput } from '@baton/protocol';
import { Client } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { followEvents } from '../support/events.ts';
import { eventually } from '../support/eventually.ts';
import { uniqueType } from '../support/work.ts';

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

type Phase = WorkflowDefinitionInput['phases'][number];

/** A ticket in CHECK, which it leaves by itself. */
async function openTicket(phase: Pick<Phase, 'gate' | 'tasks'>) {
  const name = `due ${crypto.randomUUID()}`;
  await daemon.client.workflow.put({
    definition: {
      name,
      phases: [{ name: 'CHECK', advance: 'automatic', ...phase }, { name: 'DONE' }],
      edges: [{ from: 'CHECK', to: 'DONE', kind: 'forward' }],
    },
  });
  const events = await followEvents(daemon.connection);
  const { id: ticketId } = await daemon.client.ticket.create({ title: 'Waiting', workflow: { name } });
  return {
    ticketId,
    leaves: () => events.waitFor('ticket.transitioned', ({ data }) => data.ticketId === ticketId && data.from === 'CHECK'),
    requested: () => events.waitFor('approval.requested', ({ data }) => data.ticketId === ticketId),
  };
}

/** Its workflow has been told of nothing and never looks at it again by itself; whoever is told finds that another judges it. */
const passOver = (ticketId: string) =>
  database.query(
    `update phase_visits set judging_by = gen_random_uuid(), judging_until = 'infinity', told_at = null, look_again_at = 'infinity'
       where ticket_id = $1`,
    [ticketId],
  );

/** Lets the tickets be judged when everything that was heard of them has been in vain. */
async function comeBack(ticketIds: readonly string[]) {
  // Who moves a ticket that came later has heard of them.
  await (await openTicket({ gate: { tasksMin: 0 } })).leaves();
  await database.query('update phase_visits set judging_by = null, judging_until = null where ticket_id = any($1)', [ticketIds]);
}

const note: Phase['gate'] = { tasksMin: 0, artifacts: ['note'] };
const oneTask: Phase['tasks'] = [{ type: uniqueType() }];

test('evidence has a ticket looked at though nobody hears of it', async () => {
  const { ticketId, leaves } = await openTicket({ gate: note });
  await passOver(ticketId);

  await daemon.client.artifact.put({ ticketId, artifact: { type: 'note', content: 'Done.' } });
  await comeBack([ticketId]);

  expect((await leaves()).data).toMatchObject({ to: 'DONE' });
});

test('so has an approval', async () => {
  const { ticketId, leaves, requested } = await openTicket({ gate: { tasksMin: 0, approvals: [{ name: 'release', roles: ['admin'] }] } });
  const { data } = await requested();
  await passOver(ticketId);

  await daemon.client.approval.decide({ approvalId: data.approvalId, decision: 'approve' });
  await comeBack([ticketId]);

  expect((await leaves()).data).toMatchObject({ to: 'DONE' });
});

test('and the end of its last task', async () => {
  const { ticketId, leaves } = await openTicket({ gate: { tasksMin: 0 }, tasks: oneTask });
  await passOver(ticketId);

  await daemon.client.task.cancelAll({ ticketId });
  await comeBack([ticketId]);

  expect((await leaves()).data).toMatchObject({ to: 'DONE' });
});

/** As after an end that nobody could be told of. */
const endTasks = (ticketId: string) => database.query("update tasks set state = 'cancelled' where ticket_id = $1", [ticketId]);

test('a task that is added has it looked at when all have ended, though nobody tells of that', async () => {
  const { ticketId, leaves } = await openTicket({ gate: { tasksMin: 0 }, tasks: oneTask });
  await passOver(ticketId);

  await daemon.client.task.submit({ ticketId, tasks: [{ type: uniqueType() }] });
  await endTasks(ticketId);
  await comeBack([ticketId]);

  expect((await leaves()).data).toMatchObject({ to: 'DONE' });
});

test('so has a change of what the ticket says of itself, which validators are shown', async () => {
  const { ticketId, leaves } = await openTicket({ gate: { tasksMin: 0 }, tasks: oneTask });
  await endTasks(ticketId);
  await passOver(ticketId);

  await daemon.client.ticket.update({ ticketId, version: 1, title: 'Renamed' });
  await comeBack([ticketId]);

  expect((await leaves()).data).toMatchObject({ to: 'DONE' });
});

test.each([
  [
    'for ten minutes',
    3_600_000,
    "look_again_at between clock_timestamp() + interval '5 minutes' and clock_timestamp() + interval '10 minutes'",
  ],
  ['until its approval expires', 60_000, 'look_again_at = (select expires_at from approvals a where a.visit_id = v.id)'],
])('a ticket that waits for people is left alone %s', async (_, expiresInMs, isLeftAlone) => {
  const { ticketId, requested } = await openTicket({ gate: { tasksMin: 0, approvals: [{ name: 'release', expiresInMs }] } });

  await requested();

  const statement = `select told_at is null and ${isLeftAlone} as is_left_alone from phase_visits v where ticket_id = $1`;
  await eventually(async () => expect((await database.query(statement, [ticketId])).rows).toEqual([{ is_left_alone: true }]));
});

test('of more tickets than one look finds none is forgotten', async () => {
  const events = await followEvents(daemon.connection);
  const { ticketId: first } = await openTicket({ gate: note });
  const { workflow } = await daemon.client.ticket.get({ ticketId: first });
  const create = async () => (await daemon.client.ticket.create({ title: 'Waiting', workflow })).id;
  const ids = [first, ...(await Promise.all(Array.from({ length: 119 }, create)))];
  for (const id of ids) await passOver(id);

  await Promise.all(ids.map((ticketId) => daemon.client.artifact.put({ ticketId, artifact: { type: 'note', content: 'Done.' } })));
  await comeBack(ids);

  for (const id of ids) await events.waitFor('ticket.transitioned', ({ data }) => data.ticketId === id && data.to === 'DONE');
});
