import type { GateResult } from '@baton/protocol';
import type { HandlersOf } from '../call.ts';
import { findAnswer } from '../db/idempotency.store.ts';
import { write } from '../db/transaction.ts';
import { getTicket } from '../ticket/ticket.store.ts';
import { explainGate, type ExplainParts } from './explain-gate.ts';
import { readGateStatus, validateGate } from './gate.service.ts';
import { listResults } from './gate.store.ts';

export const gateHandlers = (parts: ExplainParts): HandlersOf<'gate'> => ({
  'gate/status': async ({ ticketId }, { em, caller }) => readGateStatus(parts, em, await getTicket(em, caller.projectId, ticketId)),
  'gate/explain': ({ ticketId, assume: { completed, artifacts } = { completed: [], artifacts: [] } }, { caller, session, signal }) => {
    const assume = { completed, artifacts: artifacts.map(({ taskId, ...artifact }) => ({ artifact, taskId })) };
    const { projectId, name: token, role } = caller;
    return explainGate(parts, { projectId, ticketId, author: session?.agentName ?? token, token, role, assume }, signal);
  },
  'gate/validate': async (params, call) => {
    const { em, caller, signal } = call;
    const { ticketId, renew } = params;
    return (
      (await findAnswer<GateResult>(em, call, params)) ??
      validateGate(parts, caller.projectId, ticketId, { signal, renew, record: (work) => write(parts.db, call, params, work) })
    );
  },
  'gate/results': async (query, { em, caller }) => {
    await getTicket(em, caller.projectId, query.ticketId);
    return listResults(em, query);
  },
});
