import type { GateResult } from '@baton/protocol';
import type { HandlersOf } from '../call.ts';
import { findAnswer } from '../db/idempotency.store.ts';
import { write } from '../db/transaction.ts';
import { getTicket } from '../ticket/ticket.store.ts';
import { explainGate, type ExplainParts } from './explain-gate.ts';
import { readGateStatus, validateGate } from './gate.service.ts';
import { getResult, listResults } from './gate.store.ts';

/** What is kept under the key of a call: the result stands in a table of its own, and may name thousands of artifacts. */
type Kept = Pick<GateResult, 'id'>;

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
    const findKept = async () => {
      const kept = await findAnswer<Kept>(em, call, params);
      return kept && getResult(em, kept.id);
    };
    const kept = await findKept();
    if (kept !== undefined) return kept;
    return validateGate(parts, caller.projectId, ticketId, {
      signal,
      findKept,
      renewedBy: renew ? { name: caller.name, role: caller.role } : undefined,
      async record(work) {
        let made: GateResult | undefined;
        const { id } = await write<Kept>(parts.db, call, params, async (tx) => ({ id: (made = await work(tx)).id }));
        return made?.id === id ? made : getResult(em, id);
      },
    });
  },
  'gate/results': async (query, { em, caller }) => {
    await getTicket(em, caller.projectId, query.ticketId);
    return listResults(em, query);
  },
});
