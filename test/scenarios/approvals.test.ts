import type { ApprovalRule, WorkflowDefinitionInput } from '@baton/protocol';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { followEvents } from '../support/events.ts';
import { runStatement } from '../support/stores.ts';
import { outcomeOf } from '../support/work.ts';

let daemon: Daemon;
beforeAll(async () => {
  daemon = await startDaemon();
});
afterAll(() => daemon.stop());

type GateInput = NonNullable<WorkflowDefinitionInput['phases'][number]['gate']>;

/** A ticket in PREPARE, whose gate lets it to DONE with these approvals, and one in which they have been asked for. */
async function ask(
  approvals: readonly Partial<ApprovalRule>[],
  { gate = {}, advance = 'manual' }: { gate?: GateInput; advance?: 'manual' | 'automatic' } = {},
) {
  const { client } = daemon;
  const name = `approved ${crypto.randomUUID()}`;
  await client.workflow.put({
    definition: {
      name,
      phases: [
        { name: 'PREPARE', advance, gate: { tasksMin: 0, ...gate, approvals: [...approvals] } },
        { name: 'DONE' },
        { name: 'BLOCKED' },
      ],
      edges: [
        { from: 'PREPARE', to: 'DONE', kind: 'forward' },
        { from: 'PREPARE', to: 'BLOCKED', kind: 'block' },
      ],
      blockedPhase: 'BLOCKED',
    },
  });
  const { id: ticketId } = await client.ticket.create({ title: 'To be approved', workflow: { name } });
  const validate = (options: { renew?: boolean } = {}) => client.gate.validate({ ticketId, ...options });
  const waiting = async () => (await client.approval.list({ ticketId })).approvals;
  const move = () => client.ticket.transition({ ticketId, to: 'DONE' });
  return { ticketId, validate, waiting, move };
}

const person = async (name: string, role: 'agent' | 'operator' | 'admin' = 'operator') => {
  const { client } = await daemon.connectAs(role, name);
  return {
    approve: (approvalId: string, comment?: string) =>
      client.approval.decide({ approvalId, decision: 'approve', ...(comment !== undefined && { comment }) }),
    refuse: (approvalId: string, comment = 'Not like this.') => client.approval.decide({ approvalId, decision: 'refuse', comment }),
  };
};

describe('a gate with an approval', () => {
  test('waits for it when all else is in order, and lets the ticket go when it is given', async () => {
    const { ticketId, validate, waiting, move } = await ask([{ name: 'release' }]);
    const ada = await person('ada');

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
    const { validate, waiting } = await ask([{ name: 'release' }], { gate: { artifacts: ['notes'] } });

    const result = await validate();

    expect(result.reasons.map(({ code }) => code)).toEqual(['artifact_missing', 'approval_later']);
    expect(await waiting()).toEqual([]);
  });

  test('asks once, however often it is judged, also at the same time', async () => {
    const { validate, waiting } = await ask([{ name: 'release' }]);

    await Promise.all(Array.from({ length: 8 }, () => validate()));
    await validate();

    expect(await waiting()).toHaveLength(1);
  });

  test('is not passed by a transition that nobody has approved', async () => {
    const { ticketId, move } = await ask([{ name: 'release' }]);

    expect(await outcomeOf(move())).toBe('gate_blocked');
    expect(await daemon.client.ticket.get({ ticketId })).toMatchObject({ phase: 'PREPARE', visit: 1 });
  });

  test('in an automatic phase moves the ticket on as soon as it is given', async () => {
    const events = await followEvents(daemon.connection);
    const { ticketId, waiting } = await ask([{ name: 'release' }], { advance: 'automatic' });
    await events.waitFor('approval.requested', ({ data }) => data.ticketId === ticketId);
    const ada = await person('ada');

    await ada.approve((await waiting())[0]!.id);

    expect((await events.waitFor('ticket.transitioned', ({ data }) => data.ticketId === ticketId)).data).toMatchObject({ to: 'DONE' });
  });

  test('in an automatic phase blocks the ticket with the reason when it is refused', async () => {
    const events = await followEvents(daemon.connection);
    const { ticketId, waiting } = await ask([{ name: 'release' }], { advance: 'automatic' });
    await events.waitFor('approval.requested', ({ data }) => data.ticketId === ticketId);

    await (await person('bob')).refuse((await waiting())[0]!.id, 'The numbers are old.');

    const { data } = await events.waitFor('ticket.transitioned', ({ data }) => data.ticketId === ticketId);
    expect(data).toMatchObject({ to: 'BLOCKED' });
    expect(data.reason).toContain('bob: The numbers are old');
  });
});

describe('who decides', () => {
  test('two of three named ones are enough, and one of them twice is not', async () => {
    const { validate, waiting } = await ask([{ name: 'review', count: 2, by: ['ada', 'bob', 'eva'] }]);
    await validate();
    const { id } = (await waiting())[0]!;
    const [ada, bob] = [await person('ada'), await person('bob')];

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
    const { validate, waiting } = await ask([{ name: 'release', ...rule } as Partial<ApprovalRule>]);
    await validate();
    const [before] = await waiting();

    expect(await outcomeOf((await person('mallory', role)).approve(before!.id))).toBe('approval_not_yours');
    expect(await waiting()).toMatchObject([{ id: before!.id, state: 'waiting', decisions: [] }]);
  });

  test('one whose role may more than the one that is asked for may', async () => {
    const { validate, waiting } = await ask([{ name: 'release', roles: ['operator'] }]);
    await validate();

    expect(await (await person('ada', 'admin')).approve((await waiting())[0]!.id)).toMatchObject({ state: 'approved' });
  });

  test('the author of an artifact may not, unless the gate says so', async () => {
    const author = await daemon.connectAs('operator', 'author');
    const strict = await ask([{ name: 'release' }]);
    const lax = await ask([{ name: 'release', authorsMay: true }]);
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
    const { ticketId, validate, waiting } = await ask([{ name: 'release' }]);
    await author.client.artifact.put({ ticketId, artifact: { type: 'notes', content: { text: 'Mine.' } } });
    await daemon.client.artifact.put({ ticketId, artifact: { type: 'notes', content: { text: 'Smoothed.' } } });
    await validate();

    const deciding = author.client.approval.decide({ approvalId: (await waiting())[0]!.id, decision: 'approve' });

    expect(await outcomeOf(deciding)).toBe('approval_not_yours');
  });

  test('a refusal needs a comment, and a decision is not turned round', async () => {
    const { validate, waiting } = await ask([{ name: 'release', count: 2 }]);
    await validate();
    const { id } = (await waiting())[0]!;
    const { client } = await daemon.connectAs('operator', 'ada');
    await client.approval.decide({ approvalId: id, decision: 'approve' });

    expect(await outcomeOf(client.approval.decide({ approvalId: id, decision: 'refuse' }))).toBe('invalid_params');
    expect(await outcomeOf(client.approval.decide({ approvalId: id, decision: 'refuse', comment: 'After all.' }))).toBe('approval_closed');
  });

  test('two who decide at once are both counted', async () => {
    const { validate, waiting } = await ask([{ name: 'release', count: 2 }]);
    await validate();
    const { id } = (await waiting())[0]!;
    const people = await Promise.all(['ada', 'bob'].map((name) => person(name)));

    await Promise.all(people.map((each) => each.approve(id)));

    const { approvals } = await daemon.client.approval.list({ states: ['approved'], limit: 1_000 });
    expect(approvals.find((approval) => approval.id === id)?.decisions).toHaveLength(2);
  });
});

describe('what a refusal means', () => {
  test('the first one refuses it, and the others are cancelled if the gate says so', async () => {
    const rules = [{ name: 'security' }, { name: 'release' }];
    const { ticketId, validate, waiting } = await ask(rules, { gate: { onApprovalRefused: 'cancel_others' } });
    await validate();
    const security = (await waiting()).find(({ rule }) => rule.name === 'security');

    await (await person('bob')).refuse(security!.id);

    const { approvals } = await daemon.client.approval.list({ ticketId, states: ['refused', 'cancelled', 'waiting'] });
    expect(approvals.map(({ rule, state }) => [rule.name, state])).toEqual([
      ['security', 'refused'],
      ['release', 'cancelled'],
    ]);
  });

  test('what was cancelled with it is not asked for again by judging again, only when somebody wants it', async () => {
    const { validate, waiting } = await ask([{ name: 'security' }, { name: 'release' }], { gate: { onApprovalRefused: 'cancel_others' } });
    await validate();
    await (await person('bob')).refuse((await waiting())[0]!.id);

    await validate();
    const afterwards = await waiting();
    await validate({ renew: true });

    expect(afterwards).toEqual([]);
    expect(await waiting()).toHaveLength(2);
  });

  test('the others are kept where it does not', async () => {
    const { validate, waiting } = await ask([{ name: 'security' }, { name: 'release' }]);
    await validate();
    const [first] = await waiting();

    await (await person('bob')).refuse(first!.id);

    expect((await waiting()).map(({ rule }) => rule.name)).toEqual(['release']);
  });

  test('where refusals are counted it is refused when those who are left are too few', async () => {
    const { validate, waiting } = await ask([{ name: 'review', count: 2, by: ['ada', 'bob', 'eva'], onRefusal: 'count' }]);
    await validate();
    const { id } = (await waiting())[0]!;

    const first = await (await person('ada')).refuse(id);
    const second = await (await person('bob')).refuse(id);

    expect([first.state, second.state]).toEqual(['waiting', 'refused']);
  });

  test('it is asked for again only when somebody wants it, or the evidence has changed', async () => {
    const { ticketId, validate, waiting } = await ask([{ name: 'release' }]);
    await validate();
    await (await person('bob')).refuse((await waiting())[0]!.id);

    const again = await validate();
    const renewed = await validate({ renew: true });
    await (await person('bob')).refuse((await waiting())[0]!.id);
    await daemon.client.artifact.put({ ticketId, artifact: { type: 'notes', content: { text: 'Better.' } } });
    const changed = await validate();

    expect([again, renewed, changed].map(({ reasons }) => reasons.map(({ code }) => code))).toEqual([
      ['approval_refused'],
      ['approval_waiting'],
      ['approval_waiting'],
    ]);
  });
});

test('who is asked and has no token is named, until there is one', async () => {
  const { validate } = await ask([{ name: 'release', by: ['adda of approvals', 'ada of approvals'] }]);
  await person('ada of approvals');
  const told = async () => (await validate()).reasons.map(({ message }) => message);

  const before = await told();
  await person('adda of approvals');

  expect(before).toEqual([
    '"release" waits for 1 approval of adda of approvals, ada of approvals; there is no token for adda of approvals (`baton token create NAME --role operator`, or the gate names somebody else).',
  ]);
  expect(await told()).toEqual(['"release" waits for 1 approval of adda of approvals, ada of approvals.']);
});

describe('what was refused is asked for anew', () => {
  async function refused(rule: Partial<ApprovalRule> = {}) {
    const asked = await ask([{ name: 'release', ...rule }]);
    await daemon
      .connectAs('operator', 'author')
      .then(({ client }) => client.artifact.put({ ticketId: asked.ticketId, artifact: { type: 'notes', content: { text: 'As it is.' } } }));
    await asked.validate();
    await (await person('ada')).refuse((await asked.waiting())[0]!.id, 'Never.');
    const renewAs = async (role: 'agent' | 'operator', name: string) => {
      const { client } = await daemon.connectAs(role, name);
      return outcomeOf(client.gate.validate({ ticketId: asked.ticketId, renew: true }));
    };
    return { ...asked, renewAs };
  }

  test('by an operator who is no author, and shows with what it was refused', async () => {
    const { ticketId, renewAs, waiting } = await refused();

    const outcomes = [await renewAs('agent', 'coder'), await renewAs('operator', 'author')];
    const untouched = await waiting();
    outcomes.push(await renewAs('operator', 'bob'));

    expect(outcomes).toEqual(['approval_not_yours', 'approval_not_yours', 'accepted']);
    expect(untouched).toEqual([]);
    const { approvals } = await daemon.client.approval.list({ ticketId, states: ['waiting', 'refused'] });
    expect(approvals.map(({ state, refusedBefore }) => ({ state, refusedBefore }))).toEqual([
      { state: 'refused', refusedBefore: undefined },
      { state: 'waiting', refusedBefore: [expect.objectContaining({ by: 'ada', decision: 'refuse', comment: 'Never.' })] },
    ]);
  });

  test('by itself when the evidence changes, and shows it even where that is then as it was', async () => {
    const { ticketId, validate, waiting } = await refused();
    const author = await daemon.connectAs('operator', 'author');
    const put = (text: string) => author.client.artifact.put({ ticketId, artifact: { type: 'notes', content: { text } } });

    await put('Changed.');
    await put('As it is.');
    await validate();

    expect(await waiting()).toMatchObject([{ refusedBefore: [{ by: 'ada', comment: 'Never.' }] }]);
  });

  test('by an author where the gate lets authors decide', async () => {
    const { renewAs } = await refused({ authorsMay: true });

    expect(await renewAs('operator', 'author')).toBe('accepted');
  });
});

describe('an approval is bound to what was judged', () => {
  test('when the evidence changes, what was given no longer counts and what waits is cancelled', async () => {
    const { ticketId, validate, waiting, move } = await ask([{ name: 'release' }, { name: 'security' }]);
    await validate();
    const [first, second] = await waiting();
    await (await person('ada')).approve(first!.id);

    await daemon.client.artifact.put({ ticketId, artifact: { type: 'notes', content: { text: 'Changed.' } } });

    expect(await outcomeOf((await person('bob')).approve(second!.id))).toBe('approval_closed');
    expect(await outcomeOf(move())).toBe('gate_blocked');
    expect((await waiting()).map(({ rule }) => rule.name).toSorted()).toEqual(['release', 'security']);
    const { approvals } = await daemon.client.approval.list({ ticketId, states: ['cancelled'] });
    expect(approvals.map(({ id }) => id)).toEqual([second!.id]);
  });

  test('one that is not given in time has expired, says so, and can be asked for anew', async () => {
    const { ticketId, validate, waiting } = await ask([{ name: 'release', expiresInMs: 60_000 }]);
    await validate();
    const [approval] = await waiting();
    await runStatement(daemon.databaseUrl!, `update approvals set expires_at = clock_timestamp() where id = '${approval!.id}'`);

    expect(await waiting()).toEqual([]);
    expect(await outcomeOf((await person('ada')).approve(approval!.id))).toBe('approval_closed');
    expect((await validate()).reasons).toMatchObject([{ code: 'approval_expired' }]);
    expect((await validate({ renew: true })).reasons).toMatchObject([{ code: 'approval_waiting' }]);
    expect((await daemon.client.approval.list({ ticketId, states: ['expired'] })).approvals).toMatchObject([
      { id: approval!.id, state: 'expired' },
    ]);
  });

  test('what has expired stays so when the phase is left', async () => {
    const { ticketId, validate, waiting } = await ask([{ name: 'release', expiresInMs: 60_000 }]);
    await validate();
    const [approval] = await waiting();
    await runStatement(daemon.databaseUrl!, `update approvals set expires_at = clock_timestamp() where id = '${approval!.id}'`);

    await daemon.client.ticket.block({ ticketId, reason: 'Later.' });

    const { approvals } = await daemon.client.approval.list({ ticketId, states: ['expired', 'cancelled'] });
    expect(approvals.map(({ state }) => state)).toEqual(['expired']);
  });

  test('leaving the phase cancels what it waited for', async () => {
    const { ticketId, validate, waiting } = await ask([{ name: 'release' }]);
    await validate();

    await daemon.client.ticket.block({ ticketId, reason: 'Later.' });

    expect(await waiting()).toEqual([]);
    expect((await daemon.client.approval.list({ ticketId, states: ['cancelled'] })).approvals).toHaveLength(1);
  });
});

test('a rule that asks for more than it names is refused with the workflow', async () => {
  await expect(ask([{ name: 'release', count: 2, by: ['ada', 'ada'] }])).rejects.toMatchObject({
    kind: 'invalid_params',
    data: {
      fields: [{ path: 'definition.phases[0].gate.approvals[0].count', message: expect.stringContaining('More must approve') as string }],
    },
  });
});

test('a rule that asks a role that may not decide is refused with the workflow', async () => {
  await expect(ask([{ name: 'release', roles: ['operator', 'viewer'] }])).rejects.toMatchObject({
    kind: 'invalid_params',
    data: {
      fields: [{ path: 'definition.phases[0].gate.approvals[0].roles', message: expect.stringContaining('A viewer only looks') as string }],
    },
  });
});

test('a move is told as forced only where a gate was forced', async () => {
  const { ticketId, validate, waiting } = await ask([{ name: 'release' }]);
  await validate();
  await (await person('ada')).approve((await waiting())[0]!.id);
  await validate();

  await daemon.client.ticket.transition({ ticketId, to: 'DONE', force: true, reason: 'In a hurry.' });

  expect((await daemon.client.ticket.history({ ticketId })).visits.at(-1)).toMatchObject({ to: 'DONE', forced: false });
});

test('gate/explain names the approvals that are missing and asks for none', async () => {
  const { ticketId, waiting } = await ask([{ name: 'release', count: 2 }]);

  const { ready, missing } = await daemon.client.gate.explain({ ticketId });

  expect({ ready, missing }).toMatchObject({
    ready: false,
    missing: [{ code: 'approval_waiting', approval: { name: 'release', given: 0, needed: 2 } }],
  });
  expect(await waiting()).toEqual([]);
});
