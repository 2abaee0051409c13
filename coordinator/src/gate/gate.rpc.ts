import type { HandlersOf } from '../call.ts';
import { getTicket } from '../ticket/ticket.store.ts';
import { explainGate, type ExplainParts, readGateStatus, validateGate } from './gate.service.ts';
import { listResults } from './gate.store.ts';

export const gateHandlers = (parts: ExplainParts): HandlersOf<'gate'> => ({
  'gate/status': ({ ticketId }, { em, caller }) => readGateStatus(em, caller.projectId, ticketId),
  'gate/explain': (question, { caller, session, signal }) =>
    explainGate(parts, { projectId: caller.projectId, name: session?.agentName ?? caller.name }, question, signal),
  'gate/validate': ({ ticketId, renew }, { caller, signal }) => validateGate(parts, caller.projectId, ticketId, { signal, renew }),
  'gate/results': async (query, { em, caller }) => {
    await getTicket(em, caller.projectId, query.ticketId);
    return listResults(em, query);
  },
});
