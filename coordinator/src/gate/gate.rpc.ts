import type { HandlersOf } from '../call.ts';
import { getTicket } from '../ticket/ticket.store.ts';
import { type GateParts, readGateStatus, validateGate } from './gate.service.ts';
import { listResults } from './gate.store.ts';

export const gateHandlers = (parts: GateParts): HandlersOf<'gate'> => ({
  'gate/status': ({ ticketId }, { em, caller }) => readGateStatus(em, caller.projectId, ticketId),
  'gate/validate': ({ ticketId }, { caller, signal }) => validateGate(parts, caller.projectId, ticketId, signal),
  'gate/results': async ({ ticketId }, { em, caller }) => {
    await getTicket(em, caller.projectId, ticketId);
    return { results: await listResults(em, ticketId) };
  },
});
