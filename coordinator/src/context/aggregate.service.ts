import type { Narrative, PhaseContext } from '@baton/protocol';
import { digestOf } from '../artifact/digest.ts';
import type { EntityManager } from '../db/orm.ts';
import { listVisits } from '../phase/phase-visit.store.ts';
import { addNarrative, type NarrativeParts } from './narrative.ts';
import { gatherPhaseContext } from './phase-context.ts';

type Aggregate = Omit<PhaseContext, 'phase'> & { phase?: string };

const nothing = { visit: 0, tasksCompleted: 0, summaries: [], items: [], artifacts: [], stored: false };

/** What one phase has come to. */
export async function aggregatePhase(parts: NarrativeParts, em: EntityManager, ticketId: string, phase: string): Promise<PhaseContext> {
  const visits = (await listVisits(em, ticketId)).filter((visit) => visit.phase === phase);
  const context = await gatherPhaseContext(em, visits);
  return context === undefined ? { ...nothing, phase } : addNarrative(parts, em, context);
}

/** What the whole ticket has come to: its phases, in the order given, taken together. */
export async function aggregateTicket(
  parts: NarrativeParts,
  em: EntityManager,
  { ticketId, phases }: { readonly ticketId: string; readonly phases: readonly string[] },
): Promise<Aggregate> {
  const visits = await listVisits(em, ticketId);
  const gathered: PhaseContext[] = [];
  for (const phase of phases) {
    const context = await gatherPhaseContext(
      em,
      visits.filter((visit) => visit.phase === phase),
    );
    if (context !== undefined) gathered.push(context);
  }
  // At the same time: who reads waits for one summary, however many phases there are.
  const contexts = await Promise.all(gathered.map((context) => addNarrative(parts, em, context)));
  const narrative = joinNarratives(contexts);
  return {
    visit: visits.at(-1)?.number ?? 0,
    tasksCompleted: contexts.reduce((sum, { tasksCompleted }) => sum + tasksCompleted, 0),
    summaries: [...new Set(contexts.flatMap(({ summaries }) => summaries))],
    items: contexts.flatMap(({ items }) => items),
    artifacts: contexts.flatMap(({ artifacts }) => artifacts),
    stored: contexts.every(({ stored }) => stored),
    ...(narrative !== undefined && { narrative }),
  };
}

/** Those of the phases under each other. */
function joinNarratives(contexts: readonly PhaseContext[]): Narrative | undefined {
  const told = contexts.flatMap(({ phase, narrative }) => (narrative === undefined ? [] : [{ phase, narrative }]));
  if (told.length === 0) return undefined;
  return {
    text: told.map(({ phase, narrative }) => `## ${phase}\n${narrative.text}`).join('\n\n'),
    by: [...new Set(told.map(({ narrative }) => narrative.by))].join(', '),
    uncovered: told.flatMap(({ narrative }) => narrative.uncovered),
    digest: digestOf(told.map(({ phase, narrative }) => [phase, narrative.digest])).sha256,
    stale: told.some(({ narrative }) => narrative.stale),
  };
}
