import type { ContextItem, PhaseContext, WorkflowDefinition } from '@baton/protocol';
import { listCurrentArtifacts } from '../artifact/artifact.store.ts';
import type { EntityManager } from '../db/orm.ts';
import type { PhaseVisitRow } from '../phase/phase-visit.entity.ts';
import { listHolding } from './context.store.ts';
import { mergeItems } from './merge-items.ts';
import { listSummaries } from './summary.store.ts';

/** What one visit has come to so far. Stored with the visit when it is left. */
export async function gatherVisitContext(
  em: EntityManager,
  { id, phase, number }: Pick<PhaseVisitRow, 'id' | 'phase' | 'number'>,
): Promise<PhaseContext> {
  const { summaries, tasksCompleted } = await listSummaries(em, id);
  const items = (await listHolding(em, [id])).filter(isStatement);
  const artifacts = (await listCurrentArtifacts(em, id)).map(({ type, name, version, sha256 }) => ({ type, name, version, sha256 }));
  return { phase, visit: number, tasksCompleted, summaries, items, artifacts, stored: false };
}

/** Summaries and artifacts are items as well, and stand beside them in what a phase has come to. */
export const isStatement = ({ source }: ContextItem): boolean => source !== 'summary' && source !== 'artifact';

/**
 * What a phase has come to in these visits of it, the newest last: everything noted, and the artifacts of the newest. What was
 * stored when a visit was left is read from there, except for its items: later ones may have taken the place of some.
 */
export async function gatherPhaseContext(em: EntityManager, visits: readonly PhaseVisitRow[]): Promise<PhaseContext | undefined> {
  const contexts: PhaseContext[] = [];
  for (const visit of visits)
    contexts.push(
      visit.context === null || visit.context === undefined ? await gatherVisitContext(em, visit) : { ...visit.context, stored: true },
    );
  const newest = contexts.at(-1);
  if (newest === undefined) return undefined;
  const items = await listHolding(
    em,
    visits.map(({ id }) => id),
  );
  return {
    ...newest,
    tasksCompleted: contexts.reduce((sum, { tasksCompleted }) => sum + tasksCompleted, 0),
    summaries: [...new Set(contexts.flatMap(({ summaries }) => summaries))],
    items: dropRepeated(items.filter(isStatement)),
    stored: contexts.every(({ stored }) => stored),
  };
}

/** Said again later, a statement stands where it was said last, with all that it brought before. The oldest come first. */
export function dropRepeated(items: readonly ContextItem[]): ContextItem[] {
  const kept = new Map<string, ContextItem>();
  for (const item of items) {
    const key = `${item.kind} ${item.text}`;
    const before = kept.get(key);
    // Anew, so that it stands where it was said last.
    kept.delete(key);
    kept.set(key, before === undefined ? item : mergeItems(before, item));
  }
  return [...kept.values()];
}

/** As much of a visit as its place in the workflow needs. */
type VisitPlace = Pick<PhaseVisitRow, 'phase' | 'number'>;

/**
 * The visits whose knowledge a phase builds on: the phases before it, what was
 * said while the ticket was blocked, where the ticket stands in it now or was blocked in it, all that was left on the way here,
 * which after a regression lies behind it too, and its own.
 */
export function selectVisits<Visit extends VisitPlace>(workflow: WorkflowDefinition, visits: readonly Visit[], forPhase: string): Visit[] {
  const order = workflow.phases.map(({ name }) => name);
  const current = visits.findLast(({ phase }) => phase !== workflow.blockedPhase);
  return visits.filter(({ phase, number }) => {
    const isWanted = phase === workflow.blockedPhase || order.indexOf(phase) <= order.indexOf(forPhase);
    return isWanted || (current?.phase === forPhase && number < current.number);
  });
}

/** The visits of each phase, in the order of the workflow. */
export function groupByPhase<Visit extends VisitPlace>(workflow: WorkflowDefinition, visits: readonly Visit[]): Visit[][] {
  const byPhase = Map.groupBy(visits, ({ phase }) => phase);
  return workflow.phases.flatMap(({ name }) => {
    const ofPhase = byPhase.get(name);
    return ofPhase === undefined ? [] : [ofPhase];
  });
}
