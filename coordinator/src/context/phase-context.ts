import type { ContextItem, PhaseContext, WorkflowDefinition } from '@baton/protocol';
import { listCurrentArtifacts } from '../artifact/artifact.store.ts';
import type { EntityManager } from '../db/orm.ts';
import type { PhaseVisitRow } from '../phase/phase-visit.entity.ts';
import { listSummaries, listVisitItems, toContextItem } from './context.store.ts';

/** What one visit has come to so far. Stored with the visit when it is left, and from then on read from there. */
export async function gatherVisitContext(
  em: EntityManager,
  { id, phase, number }: Pick<PhaseVisitRow, 'id' | 'phase' | 'number'>,
): Promise<PhaseContext> {
  const { summaries, tasksCompleted } = await listSummaries(em, id);
  const items = (await listVisitItems(em, id)).map(toContextItem);
  const artifacts = (await listCurrentArtifacts(em, id)).map(({ type, name, version, sha256 }) => ({ type, name, version, sha256 }));
  return { phase, visit: number, tasksCompleted, summaries, items, artifacts, stored: false };
}

/** What a phase has come to in these visits of it, the newest last: everything noted, and the artifacts of the newest. */
export async function gatherPhaseContext(em: EntityManager, visits: readonly PhaseVisitRow[]): Promise<PhaseContext | undefined> {
  const contexts: PhaseContext[] = [];
  for (const visit of visits)
    contexts.push(
      visit.context === null || visit.context === undefined ? await gatherVisitContext(em, visit) : { ...visit.context, stored: true },
    );
  const newest = contexts.at(-1);
  if (newest === undefined) return undefined;
  return {
    ...newest,
    tasksCompleted: contexts.reduce((sum, { tasksCompleted }) => sum + tasksCompleted, 0),
    summaries: [...new Set(contexts.flatMap(({ summaries }) => summaries))],
    items: dropRepeated(contexts.flatMap(({ items }) => items)),
    stored: contexts.every(({ stored }) => stored),
  };
}

// Said again in a later visit, a statement keeps its newest place.
const dropRepeated = (items: readonly ContextItem[]): ContextItem[] => [
  ...new Map(items.map((item) => [`${item.kind} ${item.text}`, item])).values(),
];

/**
 * The visits whose knowledge a phase builds on, grouped by phase, in the order of the workflow: the phases before it, and
 * where the ticket stands in it now, all that was left on the way here, which after a regression lies behind it too.
 */
export function selectEarlierVisits(workflow: WorkflowDefinition, visits: readonly PhaseVisitRow[], forPhase: string): PhaseVisitRow[][] {
  const order = workflow.phases.map(({ name }) => name);
  const current = visits.at(-1);
  return order.flatMap((phase) => {
    const isEarlier = phase !== forPhase && order.indexOf(phase) < order.indexOf(forPhase) && phase !== workflow.blockedPhase;
    const wasLeft = current?.phase === forPhase;
    const chosen = visits.filter((visit) => visit.phase === phase && (isEarlier || (wasLeft && visit.number < current.number)));
    return chosen.length === 0 ? [] : [chosen];
  });
}
