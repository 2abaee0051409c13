import type { Approval } from '../approval.ts';
import { at, ids } from './cast.ts';
import { reviewRule } from './workflow.ts';

/** The gate of REVIEW waits for somebody. */
export const waitingApproval: Approval = {
  id: ids.approval,
  ticketId: ids.ticket,
  phase: 'REVIEW',
  visit: 2,
  rule: reviewRule,
  state: 'waiting',
  decisions: [],
  digest: '7d1a54127b222502f5b79b5fb0803061152a44f92b37e23c6527baf665d4da9a',
  ageMs: 60_000,
  createdAt: at('09:31:00'),
};

export const decidedApproval: Approval = {
  ...waitingApproval,
  state: 'approved',
  decisions: [{ by: 'admin', role: 'admin', decision: 'approve', comment: 'Read it line by line.', at: at('09:32:00') }],
};
