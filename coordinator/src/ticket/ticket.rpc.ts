import type { CallContext, HandlersOf } from '../call.ts';
import { write } from '../db/transaction.ts';
import { listVisits, toPhaseVisit } from '../phase/phase-visit.store.ts';
import { edgesFrom, gatesAround } from '../workflow/workflow-rules.ts';
import { WorkflowEntity } from '../workflow/workflow.entity.ts';
import { getWorkflow, getWorkflowByName } from '../workflow/workflow.store.ts';
import { cancelTicket, planBlock, planUnblock, updateTicket } from './change-ticket.ts';
import { judgeAndMove } from './pass-gate.ts';
import { createTicket, moveTicket, type TicketParts } from './ticket.service.ts';
import { getTicket, listTickets, toTicket } from './ticket.store.ts';

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

    'ticket/list': async ({ limit, ...query }, { em, caller }) => {
      const rows = await listTickets(em, { ...query, projectId: caller.projectId, limit: limit + 1 });
      const page = rows.slice(0, limit);
      const workflows = new Map(
        (await em.find(WorkflowEntity, { id: page.map(({ workflowId }) => workflowId) })).map((workflow) => [workflow.id, workflow]),
      );
      const last = page.at(-1);
      return {
        tickets: page.map((row) => toTicket(row, workflows.get(row.workflowId) ?? { name: 'unknown', version: 0 })),
        ...(rows.length > limit && last !== undefined && { next: last.id }),
      };
    },

    'ticket/transition': (params, call) =>
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

    'ticket/history': async ({ ticketId }, { em, caller }) => {
      await getTicket(em, caller.projectId, ticketId);
      const now = new Date();
      return { visits: (await listVisits(em, ticketId)).map((visit) => toPhaseVisit(visit, now)) };
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
