import type { HandlersOf } from '../call.ts';
import { getTicket } from '../ticket/ticket.store.ts';
import { explainGate, type ExplainParts } from './explain-gate.ts';
import { readGateStatus, validateGate } from './gate.service.ts';
import { listResults } from './gate.store.ts';

export const gateHandlers = (parts: ExplainParts): HandlersOf<'gate'> => ({
  'gate/status': async ({ ticketId }, { em, caller }) => readGateStatus(parts, em, await getTicket(em, caller.projectId, ticketId)),
  'gate/explain': ({ ticketId, assume: { completed, artifacts } = { completed: [], artifacts: [] } }, { caller, session, signal }) => {
    const assume = { completed, artifacts: artifacts.map(({ taskId, ...artifact }) => ({ artifact, taskId })) };
    const { projectId, name: token } = caller;
    return explainGate(parts, { projectId, ticketId, author: session?.agentName ?? token, token, assume }, signal);
  },
  'gate/validate': ({ ticketId, renew }, { caller, signal }) => validateGate(parts, caller.projectId, ticketId, { signal, renew }),
  'gate/results': async (query, { em, caller }) => {
    await getTicket(em, caller.projectId, query.ticketId);
    return listResults(em, query);
  },
});
