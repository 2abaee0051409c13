import type { CallContext, HandlersOf } from '../call.ts';
import { findAnswer } from '../db/idempotency.store.ts';
import { write } from '../db/transaction.ts';
import { listVisits } from '../phase/phase-visit.store.ts';
import { edgesFrom, gatesAround } from '../workflow/workflow-rules.ts';
import { getWorkflow, getWorkflowByName } from '../workflow/workflow.store.ts';
import { cancelTicket, planBlock, planUnblock, updateTicket } from './change-ticket.ts';
import { judgeAndMove } from './pass-gate.ts';
import { createTicket, type Moved, moveTicket, type TicketParts } from './ticket.service.ts';
import { listTickets } from './ticket-list.store.ts';
import { getTicket, toTicket } from './ticket.store.ts';

const nameOf = ({ session, caller }: CallContext): string => session?.agentName ?? caller.name;
const moverOf = (call: CallContext) => ({ role: call.caller.role, name: nameOf(call) });

export const ticketHandlers = (parts: TicketParts): HandlersOf<'ticket'> => {
  const { db, gates, sessions } = parts;
  return {
    'ticket/create': (params, call) => write(db, call, params, (tx) => createTicket(tx, call.caller.name, params)),

    'ticket/get': async ({ ticketId }, { em, caller }) => {
      const ticket = await getTicket(em, caller.projectId, ticketId);
      return toTicket(ticket, await getWorkflow(em, ticket.workflowId));
    },

    'ticket/list': (query, { em, caller }) => listTickets(em, { ...query, projectId: caller.projectId }),

    // Asked first: what has moved already is not judged again.
    'ticket/transition': async (params, call) =>
      (await findAnswer<Moved>(call.em, call, params)) ??
      judgeAndMove(gates, call.caller, params, {
        signal: call.signal,
        run: () => write(db, call, params, (tx) => moveTicket(tx, parts, moverOf(call), params)),
      }),

    'ticket/update': (params, call) => write(db, call, params, (tx) => updateTicket(tx, nameOf(call), params)),
    'ticket/block': (params, call) =>
      write(db, call, params, async (tx) => moveTicket(tx, parts, moverOf(call), await planBlock(tx, params.ticketId, params.reason))),
    'ticket/unblock': (params, call) =>
      write(db, call, params, async (tx) => moveTicket(tx, parts, moverOf(call), await planUnblock(tx, params.ticketId, params.reason))),
    'ticket/cancel': (params, call) => write(db, call, params, (tx) => cancelTicket(tx, sessions, { ...params, by: nameOf(call) })),

    'ticket/history': async (query, { em, caller }) => {
      await getTicket(em, caller.projectId, query.ticketId);
      return listVisits(em, query);
    },

    'ticket/validTransitions': async ({ ticketId }, { em, caller }) => {
      const ticket = await getTicket(em, caller.projectId, ticketId);
      const { definition } = await getWorkflow(em, ticket.workflowId);
      const transitions = edgesFrom(definition, ticket).map((way) => {
        const skipsGatesOf = gatesAround(definition, ticket, way);
        return { ...way, ...(skipsGatesOf.length > 0 && { skipsGatesOf }) };
      });
      return { from: ticket.phase, transitions };
    },
  };
};

export const phaseHandlers: HandlersOf<'phase'> = {
  'phase/list': async ({ workflow }, { em, caller }) => {
    const { definition } = await getWorkflowByName(em, caller.projectId, { name: workflow });
    return {
      phases: definition.phases.map(({ name, description, gate }) => ({
        name,
        ...(description !== undefined && { description }),
        ...(gate !== undefined && { gate }),
      })),
    };
  },
};
