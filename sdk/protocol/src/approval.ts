import { z } from 'zod';
import { role } from './access.ts';
import { event, method, readParams, writeParams } from './define.ts';
import { approvalRule } from './approval-rule.ts';
import { decidedApproval, waitingApproval } from './story/approval.ts';
import { ids } from './story/cast.ts';
import { id, limit, nextCursor, phaseName, sha256, timestamp } from './values.ts';

export const approvalStates = ['waiting', 'approved', 'refused', 'expired', 'cancelled'] as const;
export const approvalState = z.enum(approvalStates).meta({
  id: 'ApprovalState',
  description: 'Cancelled is what was asked about evidence that has changed since, or what a refusal beside it made pointless.',
});

export const approvalDecision = z
  .object({
    by: z.string().describe('Who decided: the name of the token, which has one voice.'),
    role,
    decision: z.enum(['approve', 'refuse']),
    comment: z.string().optional(),
    at: timestamp,
    agent: z.string().optional().describe('What the agent that spoke with it calls itself.'),
  })
  .meta({ id: 'ApprovalDecision', description: 'What one of those who may decide has said.' });
export type ApprovalDecision = z.infer<typeof approvalDecision>;

export const approval = z
  .object({
    id,
    ticketId: id,
    phase: phaseName,
    visit: z.int32(),
    rule: approvalRule,
    state: approvalState,
    decisions: z.array(approvalDecision).describe('In the order in which they were made.'),
    digest: sha256.describe('Of the evidence that is to be approved.'),
    ageMs: z.number().describe('How long ago it was asked for.'),
    expiresInMs: z.number().optional().describe('How long it is still waited for; absent where it is for ever, or where it is over.'),
    createdAt: timestamp,
    refusedBefore: z
      .array(approvalDecision)
      .optional()
      .describe(
        'With what it was refused when it was asked for in this visit before, perhaps about other evidence; absent where it was not.',
      ),
  })
  .meta({ id: 'Approval', description: 'What a gate has asked people or agents to decide about.' });
export type Approval = z.infer<typeof approval>;

export const approvalMethods = {
  'approval/list': method({
    summary: 'Lists approvals, those that wait the longest first.',
    access: 'read',
    session: false,
    idempotent: true,
    params: readParams({
      ticketId: id.optional().describe('Only of this ticket.'),
      states: z.array(approvalState).default(['waiting']).describe('Only in these states.'),
      after: id.optional(),
      limit: limit.default(100),
    }),
    result: z.object({ approvals: z.array(approval), next: nextCursor }),
    errors: ['ticket_not_found'],
    example: { params: { ticketId: ids.ticket }, result: { approvals: [waitingApproval] } },
  }),
  'approval/decide': method({
    summary: 'Approves or refuses what a gate asks about. A token has one voice; the same decision of it again changes nothing.',
    access: 'work',
    session: false,
    idempotent: true,
    params: writeParams({
      approvalId: id,
      decision: z.enum(['approve', 'refuse']),
      comment: z.string().min(1).max(4_000).optional().describe('Kept with the decision. A refusal needs one.'),
    }),
    result: approval,
    errors: ['approval_not_found', 'approval_closed', 'approval_not_yours'],
    example: {
      params: { approvalId: ids.approval, decision: 'approve', comment: 'Read it line by line.' },
      result: decidedApproval,
    },
  }),
};

export const approvalEvents = {
  'approval.requested': event({
    summary: 'A gate waits for an approval.',
    data: z.object({ approvalId: id, ticketId: id, phase: phaseName, visit: z.int32(), name: z.string(), count: z.int() }),
  }),
  'approval.decided': event({
    summary: 'Somebody approved or refused.',
    data: z.object({
      approvalId: id,
      ticketId: id,
      phase: phaseName,
      name: z.string(),
      by: z.string(),
      decision: z.enum(['approve', 'refuse']),
      comment: z.string().optional(),
      state: approvalState,
    }),
  }),
  'approval.cancelled': event({
    summary: 'An approval is no longer waited for.',
    data: z.object({ approvalId: id, ticketId: id, phase: phaseName, name: z.string(), reason: z.string() }),
  }),
};
