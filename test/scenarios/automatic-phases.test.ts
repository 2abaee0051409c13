import type { WorkflowDefinitionInput } from '@baton/protocol';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { followEvents } from '../support/events.ts';
import { uniqueType } from '../support/work.ts';

let daemon: Daemon;
beforeAll(async () => {
  daemon = await startDaemon();
});
afterAll(() => daemon.stop());

/** A ticket of a workflow BUILD → DONE (or BLOCKED), whose BUILD has these tasks and this gate, and the agent that does them. */
async function setUp(build: Omit<WorkflowDefinitionInput['phases'][number], 'name'>, { blockedPhase = true } = {}) {
  const name = `workflow ${crypto.randomUUID()}`;
  await daemon.client.workflow.put({
    definition: {
      name,
      phases: [{ name: 'BUILD', advance: 'automatic', ...build }, { name: 'DONE' }, ...(blockedPhase ? [{ name: 'BLOCKED' }] : [])],
      edges: [
        { from: 'BUILD', to: 'DONE', kind: 'forward' },
        ...(blockedPhase
          ? [{ from: 'BUILD', to: 'BLOCKED', kind: 'block' } as const, { from: 'BLOCKED', to: 'BUILD', kind: 'unblock' } as const]
          : []),
      ],
      ...(blockedPhase && { blockedPhase: 'BLOCKED' }),
    },
  });
  const agent = await daemon.connectAgent({ capabilities: (build.tasks ?? []).map(({ type }) => type) });
  const events = await followEvents(daemon.connection);
  const ticket = await daemon.client.ticket.create({ title: 'Built by itself', workflow: { name } });
  const arrival = (to: string) => events.waitFor('ticket.transitioned', ({ data }) => data.ticketId === ticket.id && data.to === to);
  const judged = (outcome: string) =>
    events.waitFor('gate.evaluated', ({ data }) => data.ticketId === ticket.id && data.outcome === outcome);
  return { agent, ticket, arrival, judged };
}

const threshold = (value: number) => ({ criteria: [{ artifact: 'size', path: 'n', op: '>=' as const, value }] });
const size = (n: number) => ({ artifacts: [{ type: 'size', content: { n } }] });

test('a ticket makes its tasks, is judged when the last has ended, and goes on', async () => {
  const { agent, ticket, arrival } = await setUp({ tasks: [{ type: uniqueType(), title: 'For {{ ticket.title }}' }], gate: threshold(1) });

  const claim = await agent.claimOne();
  await agent.complete(claim, size(1));
  await arrival('DONE');

  expect(claim.title).toBe('For Built by itself');
  expect(await daemon.client.ticket.get({ ticketId: ticket.id })).toMatchObject({ phase: 'DONE', state: 'closed', visit: 2 });
});

test('what is made when the gate refuses takes the place of its earlier round, though that had failed', async () => {
  const more = uniqueType();
  const tasks = [{ type: uniqueType() }, { type: more, when: 'refused' as const, maxAttempts: 1 }];
  const { agent, ticket, arrival } = await setUp({ tasks, gate: threshold(2), onRefused: {} });

  await agent.complete(await agent.claimOne(), size(1));
  await agent.fail(await agent.claimOne(), { message: 'The first round fails.' });
  const second = await agent.claimOne();
  await agent.complete(second, size(2));
  await arrival('DONE');

  expect(second.type).toBe(more);
  const { results } = await daemon.client.gate.results({ ticketId: ticket.id });
  expect(results.map(({ outcome, reasons }) => [outcome, reasons.map(({ code }) => code)])).toEqual([
    ['failed', ['validator_failed']],
    ['failed', ['task_failed', 'validator_failed']],
    ['passed', []],
  ]);
});

test('after the rounds it may have a ticket is blocked with the reasons, and an unblocked one begins anew', async () => {
  const tasks = [{ type: uniqueType() }, { type: uniqueType(), when: 'refused' as const }];
  const { agent, ticket, arrival } = await setUp({ tasks, gate: threshold(9), onRefused: { roundsMax: 1 } });

  await agent.complete(await agent.claimOne(), size(1));
  await agent.complete(await agent.claimOne(), size(2));
  const { data } = await arrival('BLOCKED');
  await daemon.client.ticket.transition({ ticketId: ticket.id, to: 'BUILD' });
  const again = await agent.claimOne();

  expect(data.reason).toBe('The gate of BUILD refused. After one round: criteria: size: n is 2, wanted >= 9 (n)');
  expect(await daemon.client.ticket.get({ ticketId: ticket.id })).toMatchObject({ phase: 'BUILD', state: 'open', visit: 3 });
  expect(again.visit).toBe(3);
});

test('a refused ticket that nothing follows waits, and is not judged again and again', async () => {
  const { agent, ticket, judged } = await setUp({ tasks: [{ type: uniqueType() }], gate: threshold(9) }, { blockedPhase: false });
  const other = await setUp({ tasks: [{ type: uniqueType() }], gate: threshold(1) });

  await agent.complete(await agent.claimOne(), size(1));
  await judged('failed');
  // Another ticket is moved meanwhile: the advancer has looked at both.
  await other.agent.complete(await other.agent.claimOne(), size(1));
  await other.arrival('DONE');

  expect((await daemon.client.gate.results({ ticketId: ticket.id })).results).toHaveLength(1);
  expect(await daemon.client.ticket.get({ ticketId: ticket.id })).toMatchObject({ phase: 'BUILD', state: 'open' });
});

test('a refused ticket that nothing follows goes on as soon as the evidence comes', async () => {
  const gate = { ...threshold(1), tasksMin: 0 };
  const { ticket, arrival, judged } = await setUp({ gate }, { blockedPhase: false });
  await judged('failed');

  await daemon.client.artifact.put({ ticketId: ticket.id, artifact: { type: 'size', content: { n: 1 } } });
  await arrival('DONE');

  const { results, next } = await daemon.client.gate.results({ ticketId: ticket.id, limit: 1 });
  const rest = await daemon.client.gate.results({ ticketId: ticket.id, after: next });
  expect([results, rest.results].map((page) => page.map(({ outcome }) => outcome))).toEqual([['failed'], ['passed']]);
  expect(rest.next).toBeUndefined();
});

test('many tickets that have nowhere to go do not hold up one that has', async () => {
  const { ticket } = await setUp({ gate: threshold(1) }, { blockedPhase: false });
  const { workflow } = await daemon.client.ticket.get({ ticketId: ticket.id });
  await Promise.all(Array.from({ length: 100 }, () => daemon.client.ticket.create({ title: 'Stuck', workflow: { name: workflow.name } })));

  const other = await setUp({ tasks: [{ type: uniqueType() }], gate: threshold(1) });
  await other.agent.complete(await other.agent.claimOne(), size(1));

  expect((await other.arrival('DONE')).data.to).toBe('DONE');
});
