import type { WorkflowDefinitionInput } from '@baton/protocol';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createAskedProgram } from '../support/asked-program.ts';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { followEvents } from '../support/events.ts';

let daemon: Daemon;
beforeAll(async () => {
  daemon = await startDaemon({ config: { plugins: ['@baton/plugin-command'] } });
});
afterAll(() => daemon.stop());

type Gate = NonNullable<WorkflowDefinitionInput['phases'][number]['gate']>;

/** A ticket in MADE, which it leaves by itself: for SENT, or for STUCK where an edge leads there. */
async function openTicket(gate: Gate, { withEdge }: { readonly withEdge: boolean }) {
  const name = `refused ${crypto.randomUUID()}`;
  await daemon.client.workflow.put({
    definition: {
      name,
      phases: [
        { name: 'MADE', advance: 'automatic', gate: { tasksMin: 0, ...gate } },
        { name: 'SENT' },
        ...(withEdge ? [{ name: 'STUCK' }] : []),
      ],
      edges: [{ from: 'MADE', to: 'SENT', kind: 'forward' }, ...(withEdge ? [{ from: 'MADE', to: 'STUCK', kind: 'block' } as const] : [])],
      ...(withEdge && { blockedPhase: 'STUCK' }),
    },
  });
  const events = await followEvents(daemon.connection);
  const { id: ticketId } = await daemon.client.ticket.create({ title: 'A parcel', workflow: { name } });
  return {
    ticketId,
    hindered: () => events.waitFor('ticket.hindered', ({ data }) => data.ticketId === ticketId),
    leaves: () => events.waitFor('ticket.transitioned', ({ data }) => data.ticketId === ticketId),
    refusedBy: (rule: string) =>
      events.waitFor('gate.evaluated', ({ data }) =>
        data.reasons.some(({ code, approval }) => data.ticketId === ticketId && code === 'approval_refused' && approval?.name === rule),
      ),
    asked: (rule: string) => events.waitFor('approval.requested', ({ data }) => data.ticketId === ticketId && data.name === rule),
  };
}

describe('a refused ticket that can go nowhere else', () => {
  test('says why it stays, until there is what it lacked', async () => {
    const { ticketId, hindered, leaves } = await openTicket({ artifacts: ['label'] }, { withEdge: false });

    const { data } = await hindered();
    const stays = await daemon.client.ticket.get({ ticketId });
    await daemon.client.artifact.put({ ticketId, artifact: { type: 'label', content: 'To Ada.' } });

    expect(data.reason).toBe('The gate of MADE refused. There is no artifact label in this visit');
    expect(stays).toMatchObject({ phase: 'MADE', state: 'open', blockedReason: data.reason });
    expect((await leaves()).data).toMatchObject({ to: 'SENT' });
    expect(await daemon.client.ticket.get({ ticketId })).not.toHaveProperty('blockedReason');
  });

  test('because of a program goes on when somebody has it asked again', async () => {
    await using program = await createAskedProgram();
    const { ticketId, hindered, leaves } = await openTicket({ validators: [program.validator] }, { withEdge: false });
    (await program.run(1)).exitWith(1);
    await hindered();

    const asking = daemon.client.gate.validate({ ticketId });
    (await program.run(2)).exitWith(0);
    await asking;

    expect((await leaves()).data).toMatchObject({ to: 'SENT' });
  });
});

describe('an approval that is refused', () => {
  const decide = (approvalId: string, decision: 'approve' | 'refuse') =>
    daemon.client.approval.decide({ approvalId, decision, comment: 'I have looked at it.' });
  const approvals = [{ name: 'legal' }, { name: 'release' }];

  test('leaves the others their time, and then the ticket is blocked with all that was said', async () => {
    const { ticketId, asked, refusedBy, leaves } = await openTicket({ approvals }, { withEdge: true });
    const [legal, release] = [await asked('legal'), await asked('release')];
    await decide(legal.data.approvalId, 'refuse');
    await refusedBy('legal');
    expect(await daemon.client.ticket.get({ ticketId })).toMatchObject({ phase: 'MADE', state: 'open' });

    await decide(release.data.approvalId, 'refuse');

    const { data } = await leaves();
    expect(data.to).toBe('STUCK');
    expect(data.reason).toMatch(/"legal" was refused.*"release" was refused/);
  });

  test('blocks the ticket at once where it cancels the others', async () => {
    const { asked, leaves } = await openTicket({ approvals, onApprovalRefused: 'cancel_others' }, { withEdge: true });
    const [legal] = [await asked('legal'), await asked('release')];

    await decide(legal.data.approvalId, 'refuse');

    expect((await leaves()).data).toMatchObject({ to: 'STUCK' });
  });
});
