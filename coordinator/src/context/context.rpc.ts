import { CoordinatorError } from '@baton/protocol';
import type { Liveness } from '../agent/agent.store.ts';
import type { CallContext, HandlersOf } from '../call.ts';
import { type Database, write } from '../db/transaction.ts';
import { getLastSeq } from '../event/event.store.ts';
import { holdTicketForEvidence } from '../ticket/evidence.ts';
import { getTicket } from '../ticket/ticket.store.ts';
import { findPhase } from '../workflow/workflow-rules.ts';
import { getWorkflow } from '../workflow/workflow.store.ts';
import { aggregate } from './aggregate.service.ts';
import { noteItem, pinItem, supersedeItem } from './context.service.ts';
import { listItems } from './context.store.ts';
import { expandItem } from './expand.service.ts';
import { makePack, type PackParts } from './pack.service.ts';
import { rehydrate } from './rehydrate.service.ts';

export interface ContextParts extends PackParts {
  readonly db: Database;
  readonly liveness: Liveness;
}

export const contextHandlers = ({ db, ...parts }: ContextParts): HandlersOf<'context'> => ({
  'context/note': (params, call) =>
    write(db, call, params, async (tx) => {
      const origin = await holdTicketForEvidence(tx, call, { ...params, mayHaveEnded: true });
      return noteItem(tx, { origin, item: params.item, isReturned: origin.attempt !== undefined });
    }),

  'context/supersede': (params, call) =>
    write(db, call, params, async (tx) => supersedeItem(tx, await holdTicketForEvidence(tx, call, params), params)),

  'context/pin': (params, call) =>
    write(db, call, params, async (tx) => pinItem(tx, await holdTicketForEvidence(tx, call, params), params)),

  'context/list': async (query, call) => {
    await getTicket(call.em, call.caller.projectId, query.ticketId);
    return listItems(call.em, query);
  },

  'context/expand': async ({ ticketId, citation }, { em, caller: { projectId } }) => {
    await getTicket(em, projectId, ticketId);
    return expandItem(em, { projectId, ticketId, citation });
  },

  'context/aggregate': async (query, call) => {
    await findForPhase(call, query.ticketId, query.phase);
    return aggregate(parts, call.em, query);
  },

  'context/get': async (query, call) => {
    const forPhase = await findForPhase(call, query.ticketId, query.forPhase);
    await refuseFuture(call, query.since);
    return makePack(parts, call.em, { ...query, forPhase }, { maySummarize: true });
  },

  'context/rehydrate': (params, call) => rehydrate(parts, call, params),
});

/** A number that was mistyped would answer that nothing is new. */
async function refuseFuture({ em, caller }: CallContext, since: number | string | undefined): Promise<void> {
  if (typeof since !== 'number') return;
  const lastSeq = await getLastSeq(em, caller.projectId);
  if (since <= lastSeq) return;
  const message = `There is no event ${since} yet: the newest of the project is ${lastSeq}. Give the \`asOf\` of an earlier pack.`;
  throw new CoordinatorError('invalid_params', { fields: [{ path: 'since', message }] });
}

/** The phase that is named, or the one the ticket is in. */
async function findForPhase({ em, caller }: CallContext, ticketId: string, name: string | undefined): Promise<string> {
  const ticket = await getTicket(em, caller.projectId, ticketId);
  const { definition } = await getWorkflow(em, ticket.workflowId);
  const phase = name ?? ticket.phase;
  if (findPhase(definition, phase) === undefined) {
    const phases = definition.phases.map((each) => each.name);
    throw new CoordinatorError('phase_unknown', { phase, phases, message: `${phase} is none of ${phases.join(', ')}.` });
  }
  return phase;
}
