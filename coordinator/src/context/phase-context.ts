import type { ContextItem, PhaseContext, WorkflowDefinition } from '@baton/protocol';
import type { PhaseVisitRow } from '../phase/phase-visit.entity.ts';
import { toNumber } from './citation.ts';
import { addReferences, mergeItems } from './merge-items.ts';
import { shortenItem } from './short-item.ts';

/** Whether it says something, be it of a task as a whole: a summary of the phase stands on such. */
export const isSaying = ({ source }: ContextItem): boolean => source !== 'artifact';

/** Summaries and artifacts are items as well, and stand beside the others in what a phase has come to. */
export const isStatement = ({ source }: Pick<ContextItem, 'source'>): boolean => source !== 'summary' && source !== 'artifact';

/** A phase with those of these items that are of it, the oldest first, in short. */
export function fillPhase(context: PhaseContext, items: readonly ContextItem[]): PhaseContext {
  const ofPhase = items.filter(({ phase }) => phase === context.phase).toSorted((a, b) => toNumber(a.citation) - toNumber(b.citation));
  return {
    ...context,
    items: ofPhase.filter(isStatement).map(shortenItem),
    summaries: ofPhase.filter(({ source }) => source === 'summary').map(({ text }) => text),
    artifacts: ofPhase.filter(({ source }) => source === 'artifact').map(toArtifactEntry),
  };
}

// As `itemsOfCompletion` has written it.
const toArtifactEntry = ({ data }: ContextItem) => data as PhaseContext['artifacts'][number];

/**
 * Said again later by the same source, a statement stands where it was said last, with all that it brought before. What an operator has had
 * a say in and agents say again stands where it was. The oldest come first.
 */
export function dropRepeated(items: readonly ContextItem[]): ContextItem[] {
  const kept = new Map<string, ContextItem>();
  for (const item of items) {
    const key = `${item.source} ${item.kind} ${item.text}`;
    const before = kept.get(key);
    if (before?.byOperator === true && item.source === 'said' && item.byOperator !== true) {
      kept.set(key, addReferences(before, item));
      continue;
    }
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
