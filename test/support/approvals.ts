import type { ApprovalRule, WorkflowDefinitionInput } from '@baton/protocol';
import type { Daemon } from './daemon.ts';

type GateInput = NonNullable<WorkflowDefinitionInput['phases'][number]['gate']>;

/** A ticket in PREPARE, whose gate lets it to DONE with these approvals, and one in which they have been asked for. */
export async function askApprovals(
  { client }: Pick<Daemon, 'client'>,
  approvals: readonly Partial<ApprovalRule>[],
  { gate = {}, advance = 'manual' }: { gate?: GateInput; advance?: 'manual' | 'automatic' } = {},
) {
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

/** Somebody who decides, with a token of this name. */
export async function connectPerson(daemon: Pick<Daemon, 'connectAs'>, name: string, role: 'agent' | 'operator' | 'admin' = 'operator') {
  const { client } = await daemon.connectAs(role, name);
  return {
    approve: (approvalId: string, comment?: string) =>
      client.approval.decide({ approvalId, decision: 'approve', ...(comment !== undefined && { comment }) }),
    refuse: (approvalId: string, comment = 'Not like this.') => client.approval.decide({ approvalId, decision: 'refuse', comment }),
  };
}
