import type { ApprovalRule } from '@baton/protocol';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { askApprovals, connectPerson } from '../support/approvals.ts';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { followEvents } from '../support/events.ts';
import { runStatement } from '../support/stores.ts';
import { outcomeOf } from '../support/work.ts';

let daemon: Daemon;
beforeAll(async () => {
  daemon = await startDaemon();
});
afterAll(() => daemon.stop());

describe('a gate with an approval', () => {
  test('waits for it when all else is in order, and lets the ticket go when it is given', async () => {
    const { ticketId, validate, waiting, move } = await askApprovals(daemon, [{ name: 'release' }]);
    const ada = await connectPerson(daemon, 'ada');

    const before = await validate();
    const status = await daemon.client.gate.status({ ticketId });
    const [approval] = await waiting();
    const decided = await ada.approve(approval!.id, 'Looks good.');
    await move();

    expect(before).toMatchObject({
      outcome: 'failed',
      reasons: [{ code: 'approval_waiting', approval: { id: approval!.id, name: 'release', given: 0, needed: 1 } }],
    });
    expect(status.state).toBe('waiting_approval');
    expect(approval).toMatchObject({ state: 'waiting', decisions: [] });
    expect(decided).toMatchObject({
      state: 'approved',
      decisions: [{ by: 'ada', role: 'operator', decision: 'approve', comment: 'Looks good.' }],
    });
    expect(await daemon.client.ticket.get({ ticketId })).toMatchObject({ phase: 'DONE' });
  });

  test('does not ask before all else is in order', async () => {
    const { validate, waiting } = await askApprovals(daemon, [{ name: 'release' }], { gate: { artifacts: ['notes'] } });

    const result = await validate();

    expect(result.reasons.map(({ code }) => code)).toEqual(['artifact_missing', 'approval_later']);
    expect(await waiting()).toEqual([]);
  });

  test('asks once, however often it is judged, also at the same time', async () => {
    const { validate, waiting } = await askApprovals(daemon, [{ name: 'release' }]);

    await Promise.all(Array.from({ length: 8 }, () => validate()));
    await validate();

    expect(await waiting()).toHaveLength(1);
  });

  test('is not passed by a transition that nobody has approved', async () => {
    const { ticketId, move } = await askApprovals(daemon, [{ name: 'release' }]);

    expect(await outcomeOf(move())).toBe('gate_blocked');
    expect(await daemon.client.ticket.get({ ticketId })).toMatchObject({ phase: 'PREPARE', visit: 1 });
  });

  test('in an automatic phase moves the ticket on as soon as it is given', async () => {
    const events = await followEvents(daemon.connection);
    const { ticketId, waiting } = await askApprovals(daemon, [{ name: 'release' }], { advance: 'automatic' });
    await events.waitFor('approval.requested', ({ data }) => data.ticketId === ticketId);
    const ada = await connectPerson(daemon, 'ada');

    await ada.approve((await waiting())[0]!.id);

    expect((await events.waitFor('ticket.transitioned', ({ data }) => data.ticketId === ticketId)).data).toMatchObject({ to: 'DONE' });
  });

  test('in an automatic phase blocks the ticket with the reason when it is refused', async () => {
    const events = await followEvents(daemon.connection);
    const { ticketId, waiting } = await askApprovals(daemon, [{ name: 'release' }], { advance: 'automatic' });
    await events.waitFor('approval.requested', ({ data }) => data.ticketId === ticketId);

    await (await connectPerson(daemon, 'bob')).refuse((await waiting())[0]!.id, 'The numbers are old.');

    const { data } = await events.waitFor('ticket.transitioned', ({ data }) => data.ticketId === ticketId);
    expect(data).toMatchObject({ to: 'BLOCKED' });
    expect(data.reason).toContain('bob: The numbers are old');
  });
});

describe('who decides', () => {
  test('two of three named ones are enough, and one of them twice is not', async () => {
    const { validate, waiting } = await askApprovals(daemon, [{ name: 'review', count: 2, by: ['ada', 'bob', 'eva'] }]);
    await validate();
    const { id } = (await waiting())[0]!;
    const [ada, bob] = [await connectPerson(daemon, 'ada'), await connectPerson(daemon, 'bob')];

    const once = await ada.approve(id);
    const twice = await ada.approve(id);
    const both = await bob.approve(id);

    expect([once.state, twice.state, both.state]).toEqual(['waiting', 'waiting', 'approved']);
    expect(twice.decisions).toHaveLength(1);
  });

  test.each([
    ['is not named', { by: ['eva'] }, 'operator'],
    ['has another role', { roles: ['admin'] as ApprovalRule['roles'] }, 'operator'],
    ['is an agent where nobody is named', {}, 'agent'],
  ] as const)('one who %s may not, and nothing is written', async (_, rule, role) => {
    const { validate, waiting } = await askApprovals(daemon, [{ name: 'release', ...rule } as Partial<ApprovalRule>]);
    await validate();
    const [before] = await waiting();

    expect(await outcomeOf((await connectPerson(daemon, 'mallory', role)).approve(before!.id))).toBe('approval_not_yours');
    expect(await waiting()).toMatchObject([{ id: before!.id, state: 'waiting', decisions: [] }]);
  });

  test('one whose role may more than the one that is asked for may', async () => {
    const { validate, waiting } = await askApprovals(daemon, [{ name: 'release', roles: ['operator'] }]);
    await validate();

    expect(await (await connectPerson(daemon, 'ada', 'admin')).approve((await waiting())[0]!.id)).toMatchObject({ state: 'approved' });
  });

  test('the author of an artifact may not, unless the gate says so', async () => {
    const author = await daemon.connectAs('operator', 'author');
    const strict = await askApprovals(daemon, [{ name: 'release' }]);
    const lax = await askApprovals(daemon, [{ name: 'release', authorsMay: true }]);
    for (const { ticketId, validate } of [strict, lax]) {
      await author.client.artifact.put({ ticketId, artifact: { type: 'notes', content: { text: 'Mine.' } } });
      await validate();
    }
    const decide = async ({ waiting }: typeof strict) =>
      outcomeOf(author.client.approval.decide({ approvalId: (await waiting())[0]!.id, decision: 'approve' }));

    expect([await decide(strict), await decide(lax)]).toEqual(['approval_not_yours', 'accepted']);
  });

  test('nor may the author of a version that another has replaced', async () => {
    const author = await daemon.connectAs('operator', 'first author');
    const { ticketId, validate, waiting } = await askApprovals(daemon, [{ name: 'release' }]);
    await author.client.artifact.put({ ticketId, artifact: { type: 'notes', content: { text: 'Mine.' } } });
    await daemon.client.artifact.put({ ticketId, artifact: { type: 'notes', content: { text: 'Smoothed.' } } });
    await validate();

    const deciding = author.client.approval.decide({ approvalId: (await waiting())[0]!.id, decision: 'approve' });

    expect(await outcomeOf(deciding)).toBe('approval_not_yours');
  });

  test('a refusal needs a comment, and a decision is not turned round', async () => {
    const { validate, waiting } = await askApprovals(daemon, [{ name: 'release', count: 2 }]);
    await validate();
    const { id } = (await waiting())[0]!;
    const { client } = await daemon.connectAs('operator', 'ada');
    await client.approval.decide({ approvalId: id, decision: 'approve' });

    expect(await outcomeOf(client.approval.decide({ approvalId: id, decision: 'refuse' }))).toBe('invalid_params');
    expect(await outcomeOf(client.approval.decide({ approvalId: id, decision: 'refuse', comment: 'After all.' }))).toBe('approval_closed');
  });

  test('two who decide at once are both counted', async () => {
    const { validate, waiting } = await askApprovals(daemon, [{ name: 'release', count: 2 }]);
    await validate();
    const { id } = (await waiting())[0]!;
    const people = await Promise.all(['ada', 'bob'].map((name) => connectPerson(daemon, name)));

    await Promise.all(people.map((each) => each.approve(id)));

    const { approvals } = await daemon.client.approval.list({ states: ['approved'], limit: 1_000 });
    expect(approvals.find((approval) => approval.id === id)?.decisions).toHaveLength(2);
  });
});

describe('an approval is bound to what was judged', () => {
  test('when the evidence changes, what was given no longer counts and what waits is cancelled', async () => {
    const { ticketId, validate, waiting, move } = await askApprovals(daemon, [{ name: 'release' }, { name: 'security' }]);
    await validate();
    const [first, second] = await waiting();
    await (await connectPerson(daemon, 'ada')).approve(first!.id);

    await daemon.client.artifact.put({ ticketId, artifact: { type: 'notes', content: { text: 'Changed.' } } });

    expect(await outcomeOf((await connectPerson(daemon, 'bob')).approve(second!.id))).toBe('approval_closed');
    expect(await outcomeOf(move())).toBe('gate_blocked');
    expect((await waiting()).map(({ rule }) => rule.name).toSorted()).toEqual(['release', 'security']);
    const { approvals } = await daemon.client.approval.list({ ticketId, states: ['cancelled'] });
    expect(approvals.map(({ id }) => id)).toEqual([second!.id]);
  });

  test('one that is not given in time has expired, says so, and can be asked for anew', async () => {
    const { ticketId, validate, waiting } = await askApprovals(daemon, [{ name: 'release', expiresInMs: 60_000 }]);
    await validate();
    const [approval] = await waiting();
    await runStatement(daemon.databaseUrl!, `update approvals set expires_at = clock_timestamp() where id = '${approval!.id}'`);

    expect(await waiting()).toEqual([]);
    expect(await outcomeOf((await connectPerson(daemon, 'ada')).approve(approval!.id))).toBe('approval_closed');
    expect((await validate()).reasons).toMatchObject([{ code: 'approval_expired' }]);
    expect((await validate({ renew: true })).reasons).toMatchObject([{ code: 'approval_waiting' }]);
    expect((await daemon.client.approval.list({ ticketId, states: ['expired'] })).approvals).toMatchObject([
      { id: approval!.id, state: 'expired' },
    ]);
  });

  test('what has expired stays so when the phase is left', async () => {
    const { ticketId, validate, waiting } = await askApprovals(daemon, [{ name: 'release', expiresInMs: 60_000 }]);
    await validate();
    const [approval] = await waiting();
    await runStatement(daemon.databaseUrl!, `update approvals set expires_at = clock_timestamp() where id = '${approval!.id}'`);

    await daemon.client.ticket.block({ ticketId, reason: 'Later.' });

    const { approvals } = await daemon.client.approval.list({ ticketId, states: ['expired', 'cancelled'] });
    expect(approvals.map(({ state }) => state)).toEqual(['expired']);
  });

  test('leaving the phase cancels what it waited for', async () => {
    const { ticketId, validate, waiting } = await askApprovals(daemon, [{ name: 'release' }]);
    await validate();

    await daemon.client.ticket.block({ ticketId, reason: 'Later.' });

    expect(await waiting()).toEqual([]);
    expect((await daemon.client.approval.list({ ticketId, states: ['cancelled'] })).approvals).toHaveLength(1);
  });
});

test('a rule that asks for more than it names is refused with the workflow', async () => {
  await expect(askApprovals(daemon, [{ name: 'release', count: 2, by: ['ada', 'ada'] }])).rejects.toMatchObject({
    kind: 'invalid_params',
    data: {
      fields: [{ path: 'definition.phases[0].gate.approvals[0].count', message: expect.stringContaining('More must approve') as string }],
    },
  });
});

test('a rule that asks a role that may not decide is refused with the workflow', async () => {
  await expect(askApprovals(daemon, [{ name: 'release', roles: ['operator', 'viewer'] }])).rejects.toMatchObject({
    kind: 'invalid_params',
    data: {
      fields: [{ path: 'definition.phases[0].gate.approvals[0].roles', message: expect.stringContaining('A viewer only looks') as string }],
    },
  });
});

test('a move is told as forced only where a gate was forced', async () => {
  const { ticketId, validate, waiting } = await askApprovals(daemon, [{ name: 'release' }]);
  await validate();
  await (await connectPerson(daemon, 'ada')).approve((await waiting())[0]!.id);
  await validate();

  await daemon.client.ticket.transition({ ticketId, to: 'DONE', force: true, reason: 'In a hurry.' });

  expect((await daemon.client.ticket.history({ ticketId })).visits.at(-1)).toMatchObject({ to: 'DONE', forced: false });
});

test('gate/explain names the approvals that are missing and asks for none', async () => {
  const { ticketId, waiting } = await askApprovals(daemon, [{ name: 'release', count: 2 }]);

  const { ready, missing } = await daemon.client.gate.explain({ ticketId });

  expect({ ready, missing }).toMatchObject({
    ready: false,
    missing: [{ code: 'approval_waiting', approval: { name: 'release', given: 0, needed: 2 } }],
  });
  expect(await waiting()).toEqual([]);
});
