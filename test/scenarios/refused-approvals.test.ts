import type { ApprovalRule } from '@baton/protocol';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { askApprovals, connectPerson } from '../support/approvals.ts';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { outcomeOf } from '../support/work.ts';

let daemon: Daemon;
beforeAll(async () => {
  daemon = await startDaemon();
});
afterAll(() => daemon.stop());

describe('what a refusal means', () => {
  test('the first one refuses it, and the others are cancelled if the gate says so', async () => {
    const rules = [{ name: 'security' }, { name: 'release' }];
    const { ticketId, validate, waiting } = await askApprovals(daemon, rules, { gate: { onApprovalRefused: 'cancel_others' } });
    await validate();
    const security = (await waiting()).find(({ rule }) => rule.name === 'security');

    await (await connectPerson(daemon, 'bob')).refuse(security!.id);

    const { approvals } = await daemon.client.approval.list({ ticketId, states: ['refused', 'cancelled', 'waiting'] });
    expect(approvals.map(({ rule, state }) => [rule.name, state])).toEqual([
      ['security', 'refused'],
      ['release', 'cancelled'],
    ]);
  });

  test('what was cancelled with it is not asked for again by judging again, only when somebody wants it', async () => {
    const { validate, waiting } = await askApprovals(daemon, [{ name: 'security' }, { name: 'release' }], {
      gate: { onApprovalRefused: 'cancel_others' },
    });
    await validate();
    await (await connectPerson(daemon, 'bob')).refuse((await waiting())[0]!.id);

    await validate();
    const afterwards = await waiting();
    await validate({ renew: true });

    expect(afterwards).toEqual([]);
    expect(await waiting()).toHaveLength(2);
  });

  test('the others are kept where it does not', async () => {
    const { validate, waiting } = await askApprovals(daemon, [{ name: 'security' }, { name: 'release' }]);
    await validate();
    const [first] = await waiting();

    await (await connectPerson(daemon, 'bob')).refuse(first!.id);

    expect((await waiting()).map(({ rule }) => rule.name)).toEqual(['release']);
  });

  test('where refusals are counted it is refused when those who are left are too few', async () => {
    const { validate, waiting } = await askApprovals(daemon, [{ name: 'review', count: 2, by: ['ada', 'bob', 'eva'], onRefusal: 'count' }]);
    await validate();
    const { id } = (await waiting())[0]!;

    const first = await (await connectPerson(daemon, 'ada')).refuse(id);
    const second = await (await connectPerson(daemon, 'bob')).refuse(id);

    expect([first.state, second.state]).toEqual(['waiting', 'refused']);
  });

  test('it is asked for again only when somebody wants it, or the evidence has changed', async () => {
    const { ticketId, validate, waiting } = await askApprovals(daemon, [{ name: 'release' }]);
    await validate();
    await (await connectPerson(daemon, 'bob')).refuse((await waiting())[0]!.id);

    const again = await validate();
    const renewed = await validate({ renew: true });
    await (await connectPerson(daemon, 'bob')).refuse((await waiting())[0]!.id);
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
  const { validate } = await askApprovals(daemon, [{ name: 'release', by: ['adda of approvals', 'ada of approvals'] }]);
  await connectPerson(daemon, 'ada of approvals');
  const told = async () => (await validate()).reasons.map(({ message }) => message);

  const before = await told();
  await connectPerson(daemon, 'adda of approvals');

  expect(before).toEqual([
    '"release" waits for 1 approval of adda of approvals, ada of approvals; there is no token for adda of approvals (`baton token create NAME --role operator`, or the gate names somebody else).',
  ]);
  expect(await told()).toEqual(['"release" waits for 1 approval of adda of approvals, ada of approvals.']);
});

describe('what was refused is asked for anew', () => {
  async function refused(rule: Partial<ApprovalRule> = {}) {
    const asked = await askApprovals(daemon, [{ name: 'release', ...rule }]);
    await daemon
      .connectAs('operator', 'author')
      .then(({ client }) => client.artifact.put({ ticketId: asked.ticketId, artifact: { type: 'notes', content: { text: 'As it is.' } } }));
    await asked.validate();
    await (await connectPerson(daemon, 'ada')).refuse((await asked.waiting())[0]!.id, 'Never.');
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
