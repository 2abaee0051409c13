import type { ContextAggregate, Narrative, PhaseContext } from '@baton/protocol';
import { digestOf } from '../artifact/digest.ts';
import type { EntityManager } from '../db/orm.ts';
import { byNeed } from '@baton/sdk/plugin';
import { toNumber } from './citation.ts';
import type { HeldItems, NotHeld } from './held-items.ts';
import { addNarrative, type NarrativeParts, uncoveredMax } from './narrative.ts';
import { readPhases } from './pack-state.ts';
import { dropRepeated, isStatement } from './phase-context.ts';
import { shortenItem } from './short-item.ts';

export interface AggregateParts {
  readonly held: HeldItems;
  readonly narrative: NarrativeParts;
}

export interface AggregateQuery {
  readonly ticketId: string;
  /** The whole ticket without one. */
  readonly phase?: string | undefined;
  readonly limit: number;
}

/** What one phase has come to, or all of them, in the order of the workflow, taken together. */
export async function aggregate(
  { held, narrative: parts }: AggregateParts,
  em: EntityManager,
  { ticketId, phase, limit }: AggregateQuery,
): Promise<ContextAggregate> {
  const { phases, notHeld } = await readPhases(held, em, { ticketId, phase });
  // At the same time: who reads waits for one summary, however many phases there are.
  const contexts = await Promise.all(phases.map((each) => addNarrative(parts, em, each)));
  const narrative = phase === undefined ? joinNarratives(contexts) : contexts[0]?.narrative;
  return {
    ...(phase !== undefined && { phase }),
    visit: Math.max(0, ...contexts.map(({ visit }) => visit)),
    tasksCompleted: contexts.reduce((sum, { tasksCompleted }) => sum + tasksCompleted, 0),
    ...bound(contexts, notHeld, limit),
    stored: contexts.length > 0 && contexts.every(({ stored }) => stored),
    ...(narrative !== undefined && { narrative }),
  };
}

function bound(
  contexts: readonly PhaseContext[],
  notHeld: NotHeld,
  limit: number,
): Pick<ContextAggregate, 'items' | 'summaries' | 'artifacts' | 'omitted'> {
  // What several phases say stands once, where it was said last.
  const items = dropRepeated(
    contexts.flatMap((context) => context.items.filter(isStatement)).toSorted((a, b) => toNumber(a.citation) - toNumber(b.citation)),
  );
  const summaries = [...new Set(contexts.flatMap((context) => context.summaries))];
  const artifacts = contexts.flatMap((context) => context.artifacts);
  const chosen = takeFitting(byNeed(items).slice(0, limit).map(shortenItem));
  const newest = {
    summaries: takeFitting(summaries.slice(-limit).toReversed()).toReversed(),
    artifacts: takeFitting(artifacts.slice(-limit).toReversed()).toReversed(),
  };
  return {
    items: contexts.flatMap(({ phase }) =>
      chosen.filter((item) => item.phase === phase).toSorted((a, b) => toNumber(a.citation) - toNumber(b.citation)),
    ),
    ...newest,
    omitted: {
      items: items.length - chosen.length + notHeld.items,
      summaries: summaries.length - newest.summaries.length + notHeld.summaries,
      artifacts: artifacts.length - newest.artifacts.length + notHeld.artifacts,
    },
  };
}

/** Each list has so many characters of JSON, so that an answer has a size that every client takes. */
const listCharactersMax = 1_000_000;

/** From the first on as many as there is room for. */
function takeFitting<T>(list: readonly T[]): T[] {
  let characters = 0;
  const end = list.findIndex((each) => (characters += JSON.stringify(each).length) > listCharactersMax);
  return list.slice(0, end === -1 ? list.length : end);
}

/** Those of the phases under each other. */
function joinNarratives(contexts: readonly PhaseContext[]): Narrative | undefined {
  const told = contexts.flatMap(({ phase, narrative }) => (narrative === undefined ? [] : [{ phase, narrative }]));
  if (told.length === 0) return undefined;
  return {
    text: told.map(({ phase, narrative }) => `## ${phase}\n${narrative.text}`).join('\n\n'),
    by: [...new Set(told.map(({ narrative }) => narrative.by))].join(', '),
    uncovered: told.flatMap(({ narrative }) => narrative.uncovered).slice(0, uncoveredMax),
    digest: digestOf(told.map(({ phase, narrative }) => [phase, narrative.digest])).sha256,
    stale: told.some(({ narrative }) => narrative.stale),
  };
}
