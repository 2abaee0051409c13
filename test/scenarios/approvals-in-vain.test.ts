import type { ApprovalRule, WorkflowDefinitionInput } from '@baton/protocol';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { followEvents } from '../support/events.ts';
import { runStatement } from '../support/stores.ts';

let daemon: Daemon;
beforeAll(async () => {
  daemon = await startDaemon();
});
afterAll(() => daemon.stop());

const notes = { type: 'notes', content: { text: 'Mine.' } };

/** A ticket whose gate asks for this approval and for notes. */
async function openTicket(rule: Partial<ApprovalRule>, phase: Partial<WorkflowDefinitionInput['phases'][number]> = {}) {
  const name = `impossible ${crypto.randomUUID()}`;
  const gate = { tasksMin: 0, artifacts: ['notes'], approvals: [{ name: 'release', ...rule }] };
  await daemon.client.workflow.put({
    definition: {
      name,
      phases: [{ name: 'WORK', gate, ...phase }, { name: 'DONE' }, { name: 'STUCK' }],
      edges: [
        { from: 'WORK', to: 'DONE', kind: 'forward' },
        { from: 'WORK', to: 'STUCK', kind: 'block' },
      ],
      blockedPhase: 'STUCK',
    },
  });
  return (await daemon.client.ticket.create({ title: 'To be approved', workflow: { name } })).id;
}

const storeAs = async (name: string, ticketId: string) =>
  (await daemon.connectAs('operator', name)).client.artifact.put({ ticketId, artifact: notes });

const impossible = {
  code: 'approval_impossible',
  message:
    '"release" cannot be given. It takes 2 of ada, bob, and what is to be approved was made with ada. An admin may force this ticket on; for others the gate can name more, or say authorsMay: true.',
  approval: { name: 'release', given: 0, needed: 2 },
};

test('an approval that too few may give is told as that, with who is excluded and what helps, whoever asks', async () => {
  const ticketId = await openTicket({ count: 2, by: ['ada', 'bob'] });
  await storeAs('ada', ticketId);

  const status = await daemon.client.gate.status({ ticketId });
  const { missing } = await daemon.client.gate.explain({ ticketId });
  const { reasons } = await daemon.client.gate.validate({ ticketId });

  expect([status.state, status.missing]).toEqual(['blocked', [impossible]]);
  expect(missing).toEqual([impossible]);
  expect(reasons).toMatchObject([impossible]);
  await expect(daemon.client.ticket.transition({ ticketId, to: 'DONE' })).rejects.toMatchObject({
    kind: 'gate_blocked',
    message: expect.stringContaining('cannot be given') as string,
  });
});

test('an approval is told to be in vain also where its author may decide with another role than the one of the work', async () => {
  const ticketId = await openTicket({ by: ['ada'], roles: ['admin'] });
  await storeAs('ada', ticketId);
  await daemon.connectAs('admin', 'ada');

  const { missing } = await daemon.client.gate.status({ ticketId });

  expect(missing.map(({ code }) => code)).toEqual(['approval_impossible']);
});

test('an author whose newest token has the role is named among those who may not', async () => {
  const ticketId = await openTicket({ roles: ['admin'] });
  await storeAs('ada', ticketId);
  await storeAs('bob', ticketId);
  await daemon.connectAs('admin', 'ada');

  const { missing } = await daemon.client.gate.status({ ticketId });

  expect(missing[0]?.message).toContain('waits for 1 approval of the role admin (not of ada, whose work it is)');
});

test('whoever asks beforehand hears that his own work would make it so', async () => {
  const ticketId = await openTicket({ by: ['ada'] });
  const ada = await daemon.connectAs('operator', 'ada');
  const bob = await daemon.connectAs('operator', 'bob');
  const codes = async ({ client }: typeof ada) =>
    (await client.gate.explain({ ticketId, assume: { artifacts: [notes] } })).missing.map(({ code }) => code);

  expect([await codes(ada), await codes(bob)]).toEqual([['approval_impossible'], ['approval_waiting']]);
});

test.each<[string, Partial<ApprovalRule>, string]>([
  [
    'enough others are named',
    { by: ['ada', 'bob'] },
    '"release" waits for 1 approval of ada, bob (not of ada, whose work it is), which is asked for when the gate is judged.',
  ],
  [
    'anybody of a role may',
    {},
    '"release" waits for 1 approval of the role operator or admin (not of ada, whose work it is), which is asked for when the gate is judged.',
  ],
  ['authors may', { by: ['ada'], authorsMay: true }, '"release" waits for 1 approval of ada, which is asked for when the gate is judged.'],
])('where %s it is waited for, and it is said of whom', async (_, rule, message) => {
  const ticketId = await openTicket(rule);
  await storeAs('ada', ticketId);

  const { state, missing } = await daemon.client.gate.status({ ticketId });

  expect([state, missing]).toEqual(['waiting_approval', [expect.objectContaining({ code: 'approval_waiting', message })]]);
});

test('a refusal that leaves too few who are no authors refuses it', async () => {
  const ticketId = await openTicket({ count: 2, by: ['ada', 'bob', 'eva'], onRefusal: 'count' });
  await storeAs('ada', ticketId);
  await daemon.client.gate.validate({ ticketId });
  const [approval] = (await daemon.client.approval.list({ ticketId })).approvals;
  const { client } = await daemon.connectAs('operator', 'bob');

  const decided = await client.approval.decide({ approvalId: approval!.id, decision: 'refuse', comment: 'Not like this.' });

  expect(decided.state).toBe('refused');
});

test('in an automatic phase the ticket stays with its work, and tells that it waits in vain', async () => {
  const ticketId = await openTicket(
    { by: ['ada'] },
    { advance: 'automatic', gate: { tasksMin: 0, approvals: [{ name: 'release', by: ['ada'] }] } },
  );
  const events = await followEvents(daemon.connection);

  await storeAs('ada', ticketId);

  const { data } = await events.waitFor('ticket.hindered', (event) => event.data.ticketId === ticketId);
  expect(data.reason).toMatch(/^The gate of WORK cannot be passed: "release" cannot be given\./);
  expect(await daemon.client.ticket.get({ ticketId })).toMatchObject({ phase: 'WORK', state: 'open', blockedReason: data.reason });
});

test('one that is not given in time refuses nothing: the ticket stays with its work, and goes on when it is asked for anew and given', async () => {
  const approvals = [{ name: 'release', by: ['ada'], expiresInMs: 60_000 }];
  const events = await followEvents(daemon.connection);
  const ticketId = await openTicket({}, { advance: 'automatic', gate: { tasksMin: 0, approvals } });
  const isOurs = ({ data }: { data: { ticketId: string } }) => data.ticketId === ticketId;
  await events.waitFor('approval.requested', isOurs);
  await runStatement(
    daemon.databaseUrl!,
    `update approvals set expires_at = clock_timestamp() where ticket_id = '${ticketId}';
     update phase_visits set look_again_at = clock_timestamp() where ticket_id = '${ticketId}'`,
  );

  const { data } = await events.waitFor('ticket.hindered', isOurs);
  await daemon.client.gate.validate({ ticketId, renew: true });
  const [approval] = (await daemon.client.approval.list({ ticketId })).approvals;
  await (await daemon.connectAs('operator', 'ada')).client.approval.decide({ approvalId: approval!.id, decision: 'approve' });

  expect(data.reason).toBe('The gate of WORK cannot be passed: "release" was not given in time: 0 of 1');
  const { data: move } = await events.waitFor('ticket.transitioned', isOurs);
  expect(move.to).toBe('DONE');
});

test('what is asked about evidence that another judgement has found wanting since is no longer waited for', async () => {
  const gate = {
    tasksMin: 0,
    criteria: [{ artifact: 'notes', path: 'words', op: '>' as const, value: 0 }],
    approvals: [{ name: 'release' }],
  };
  const ticketId = await openTicket({}, { gate });
  const judge = async (words: number) => {
    await daemon.client.artifact.put({ ticketId, artifact: { type: 'notes', content: { words } } });
    return (await daemon.client.gate.validate({ ticketId })).reasons.map(({ code }) => code);
  };
  const listed = async () => (await daemon.client.approval.list({ ticketId, states: ['waiting', 'cancelled'] })).approvals;

  const reasons = [await judge(1), await judge(0)];

  expect(reasons).toEqual([['approval_waiting'], ['validator_failed', 'approval_later']]);
  expect((await listed()).map(({ state }) => state)).toEqual(['cancelled']);
});
