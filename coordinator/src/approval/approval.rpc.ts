import type { HandlersOf } from '../call.ts';
import { type Database, write } from '../db/transaction.ts';
import { getTicket } from '../ticket/ticket.store.ts';
import { decideApproval } from './approval.service.ts';
import { listApprovals } from './approval.store.ts';

export const approvalHandlers = (db: Database): HandlersOf<'approval'> => ({
  'approval/list': async (query, { em, caller }) => {
    if (query.ticketId !== undefined) await getTicket(em, caller.projectId, query.ticketId);
    return listApprovals(em, { ...query, projectId: caller.projectId });
  },
  'approval/decide': (params, call) => write(db, call, params, (tx) => decideApproval(tx, call, params)),
});
