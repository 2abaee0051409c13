import type { ContextItem, PhaseContext } from '@baton/protocol';
import { IsolationLevel } from '@mikro-orm/core';
import type { EntityManager } from '../db/orm.ts';
import { TicketEntity } from '../ticket/ticket.entity.ts';
import { getWorkflow } from '../workflow/workflow.store.ts';
import type { HeldItems, Selection } from './held-items.ts';
import { findItemChanges, type ItemChanges } from './item-changes.ts';
import { getLastSeqOfTicket, listVisitFacts, type VisitFacts } from './pack.store.ts';
import { groupByPhase, selectVisits } from './phase-context.ts';

export interface PackPlace {
  readonly ticketId: string;
  readonly forPhase: string;
  /** Only what has changed after this event or item. */
  readonly since?: number | string | undefined;
}

/** All that a pack is made from, as of one event. */
export interface PackState {
  readonly asOf: number;
  /** Those whose knowledge the phase builds on, its own, and those of what is pinned, in the order of the workflow, with their statements. */
  readonly phases: readonly PhaseContext[];
  /** What holds, each statement once. */
  readonly items: readonly ContextItem[];
  /** With `since` alone. */
  readonly changes: ItemChanges | undefined;
}

/**
 * Reads all of it from one snapshot, so that what an event has changed is in it or the event is not.
 * @throws CoordinatorError `context_item_not_found` where `since` names none
 */
export const readPackState = (held: HeldItems, em: EntityManager, { ticketId, forPhase, since }: PackPlace): Promise<PackState> =>
  em.fork().transactional(
    async (em) => {
      const asOf = await getLastSeqOfTicket(em, ticketId);
      const ticket = await em.findOneOrFail(TicketEntity, { id: ticketId });
      const { definition } = await getWorkflow(em, ticket.workflowId);
      const visits = await listVisitFacts(em, ticketId);
      const selected = selectVisits(definition, visits, forPhase).map(({ number }) => number);
      const changes = since === undefined ? undefined : await findItemChanges(em, ticketId, since);
      const { items, statements } = await held.read(em, ticketId, selected);
      // What is pinned may come from others.
      const told = new Set([...selected, ...items.filter(({ pinned }) => pinned).map(({ visit }) => visit)]);
      const phases = groupByPhase(
        definition,
        visits.filter(({ number }) => told.has(number)),
      );
      return { asOf, phases: phases.map((each) => toPhaseContext(each, statements)), items, changes };
    },
    { isolationLevel: IsolationLevel.REPEATABLE_READ, readOnly: true },
  );

function toPhaseContext(visits: readonly VisitFacts[], statements: Selection['statements']): PhaseContext {
  const newest = visits.at(-1);
  const phase = newest?.phase ?? '';
  return {
    phase,
    visit: newest?.number ?? 0,
    tasksCompleted: visits.reduce((sum, { tasksCompleted }) => sum + tasksCompleted, 0),
    summaries: [],
    items: statements.get(phase) ?? [],
    artifacts: [],
    stored: visits.every(({ stored }) => stored),
  };
}
