import type { ContextItem, PhaseContext, WorkflowDefinition } from '@baton/protocol';
import { IsolationLevel } from '@mikro-orm/core';
import type { EntityManager } from '../db/orm.ts';
import { TicketEntity } from '../ticket/ticket.entity.ts';
import { getWorkflow } from '../workflow/workflow.store.ts';
import { toNumber } from './citation.ts';
import type { HeldItems, NotHeld, Selection } from './held-items.ts';
import { findItemChanges, type ItemChanges } from './item-changes.ts';
import { type NarrativeParts, planSummary } from './narrative.ts';
import { findSummaries } from './narrative.store.ts';
import { getLastSeqOfTicket, listVisitFacts, type VisitFacts } from './pack.store.ts';
import { fillPhase, groupByPhase, selectVisits } from './phase-context.ts';

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
  /** How many more hold. */
  readonly notConsidered: number;
  /** With `since` alone. */
  readonly changes: ItemChanges | undefined;
  /** What summarizers have written of these phases, by the digest of what it was made from. */
  readonly kept: ReadonlyMap<string, string>;
}

export interface PackSources {
  readonly held: HeldItems;
  /** Where a pack is to have narratives. */
  readonly narrative?: NarrativeParts | undefined;
}

/**
 * Reads all of it from one snapshot, so that what an event has changed is in it or the event is not.
 * @throws CoordinatorError `context_item_not_found` where `since` names none
 */
export const readPackState = (
  { held, narrative }: PackSources,
  em: EntityManager,
  { ticketId, forPhase, since }: PackPlace,
): Promise<PackState> =>
  readSnapshot(em, ticketId, async (em, { definition, visits }) => {
    const asOf = await getLastSeqOfTicket(em, ticketId);
    const selected = selectVisits(definition, visits, forPhase).map(({ number }) => number);
    const { items, statements, notHeld } = await held.read(em, ticketId, selected);
    const changed = since === undefined ? undefined : await findItemChanges(em, ticketId, since);
    const changes = changed && withSeen(changed, items, { definition, visits, forPhase });
    // What is pinned may come from others.
    const told = new Set([...selected, ...items.filter(({ pinned }) => pinned).map(({ visit }) => visit)]);
    const grouped = groupByPhase(
      definition,
      visits.filter(({ number }) => told.has(number)),
    );
    const phases = grouped.map((each) => toPhaseContext(each, statements));
    const works =
      narrative === undefined ? [] : phases.flatMap((each) => (each.phase === forPhase ? [] : (planSummary(narrative, each) ?? [])));
    return {
      asOf,
      phases,
      items,
      notConsidered: notHeld.items + notHeld.summaries + notHeld.artifacts,
      changes,
      kept: await findSummaries(
        em,
        works.map(({ digest }) => digest),
      ),
    };
  });

/** What each phase has come to, or the one that is named, in the order of the workflow; and how many of their items were not considered. */
export const readPhases = (
  held: HeldItems,
  em: EntityManager,
  { ticketId, phase }: { readonly ticketId: string; readonly phase?: string | undefined },
): Promise<{ phases: PhaseContext[]; notHeld: NotHeld }> =>
  readSnapshot(em, ticketId, async (em, { definition, visits }) => {
    const wanted = visits.filter((visit) => phase === undefined || visit.phase === phase);
    const { items, statements, notHeld } = await held.read(
      em,
      ticketId,
      wanted.map(({ number }) => number),
    );
    const phases = groupByPhase(definition, wanted).map((each) => {
      const context = toPhaseContext(each, statements);
      return { ...fillPhase(context, items), items: context.items };
    });
    return { phases, notHeld };
  });

/**
 * With what is newer than the item that was named, and what has come into view: after a regression a phase builds on visits that it knew
 * nothing of before.
 */
function withSeen(
  changes: ItemChanges,
  items: readonly ContextItem[],
  { definition, visits, forPhase }: Place & { readonly forPhase: string },
): ItemChanges {
  const numbersOf = (seen: readonly VisitFacts[]) => new Set(selectVisits(definition, seen, forPhase).map(({ number }) => number));
  const [before, now] = [numbersOf(visits.slice(0, visits.length - changes.visitsBegun)), numbersOf(visits)];
  const seen = items.filter(({ citation, visit }) => toNumber(citation) > changes.cameAfter || (now.has(visit) && !before.has(visit)));
  return { ...changes, came: new Set([...changes.came, ...seen.map(({ citation }) => citation)]) };
}

interface Place {
  readonly definition: WorkflowDefinition;
  readonly visits: readonly VisitFacts[];
}

const readSnapshot = <T>(em: EntityManager, ticketId: string, read: (em: EntityManager, place: Place) => Promise<T>): Promise<T> =>
  em.fork().transactional(
    async (em) => {
      const ticket = await em.findOneOrFail(TicketEntity, { id: ticketId });
      const { definition } = await getWorkflow(em, ticket.workflowId);
      return read(em, { definition, visits: await listVisitFacts(em, ticketId) });
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
