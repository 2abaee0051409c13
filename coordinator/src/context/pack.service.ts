import { createHash } from 'node:crypto';
import { type ContextItem, type ContextPack, CoordinatorError, type PhaseContext } from '@baton/protocol';
import type { EntityManager } from '../db/orm.ts';
import type { HeldItems } from './held-items.ts';
import { addNarrative, type NarrativeParts } from './narrative.ts';
import type { PackCounter } from './pack-counter.ts';
import { writePack } from './pack-rules.ts';
import { type PackPlace, type PackState, readPackState } from './pack-state.ts';
import { getLastSeqOfTicket } from './pack.store.ts';
import { isStatement } from './phase-context.ts';
import { numberOf, rankItems } from './rank-items.ts';
import type { Relevance } from './relevance.ts';
import type { TokenCounter } from './token-counter.ts';

export interface PackParts {
  readonly counter: TokenCounter;
  readonly lines: PackCounter;
  readonly held: HeldItems;
  readonly relevance: Relevance;
  readonly narrative: NarrativeParts;
}

export interface PackQuery extends PackPlace {
  readonly budgetTokens: number;
  readonly query?: string | undefined;
}

export interface PackOptions {
  /** Narratives speak of what is left out. Never asked for while a task waits. */
  readonly maySummarize: boolean;
}

/** The pack for a phase. The caller has made sure that the ticket and the phase are there. */
export async function makePack(parts: PackParts, em: EntityManager, query: PackQuery, { maySummarize }: PackOptions): Promise<ContextPack> {
  const { held, narrative } = parts;
  const state = await readPackState(held, em, query);
  if (!maySummarize || state.changes !== undefined) return packState(parts, query, state);
  const narrated = await narrate(narrative, em, query, state);
  if ((await getLastSeqOfTicket(em, query.ticketId)) === state.asOf) return packState(parts, query, narrated);
  // Somebody may have withdrawn something while a summary was waited for. What is there by now is told, and nothing is waited for.
  return packState(parts, query, await narrate({ ...narrative, waitMs: 0 }, em, query, await readPackState(held, em, query)));
}

/** With what is said of the earlier phases in short: by the summarizer where that is kept, else by the coordinator itself. */
const narrate = async (parts: NarrativeParts, em: EntityManager, { forPhase }: PackQuery, state: PackState): Promise<PackState> => ({
  ...state,
  phases: await Promise.all(
    // Nothing stale, so that what is stored and nothing else decides what a pack says.
    state.phases.map(async (phase) => (phase.phase === forPhase ? phase : addNarrative({ ...parts, mayBeStale: false }, em, phase))),
  ),
});

function packState({ relevance, counter, lines }: PackParts, query: PackQuery, { asOf, phases, items, changes }: PackState): ContextPack {
  const { ticketId, forPhase, budgetTokens, query: text = '' } = query;
  const wanted = changes === undefined ? items : items.filter(({ citation }) => changes.came.has(citation));
  const order = phases.map(({ phase }) => phase);
  const scores = relevance.score(`${ticketId} ${forPhase} ${changes === undefined ? '' : 'since'}`, wanted, text);
  // The nearest phase first.
  const narratives = phases.flatMap(({ narrative }) => narrative?.text ?? []).toReversed();
  const { chosen, ...written } = writePack(
    {
      ranked: rankItems(wanted, { phases: order, query: text, relevance: scores }),
      phases: order,
      withdrawn: changes?.withdrawn ?? [],
      narratives,
    },
    budgetTokens,
    lines,
  );
  const own = phases.find(({ phase }) => phase === forPhase);
  const told = {
    ticketId,
    forPhase,
    phases: phases.filter((phase) => phase !== own).map((phase) => narrow(phase, chosen)),
    budgetTokens,
    counter: counter.name,
    ...written,
    ...(own !== undefined && { own: narrow(own, chosen) }),
  };
  return { ...told, asOf, digest: createHash('sha256').update(JSON.stringify(told)).digest('hex') };
}

/** The pack for a phase as text. */
export type ContextTexts = (place: { readonly ticketId: string; readonly forPhase: string }) => Promise<string>;

/**
 * Makes each pack once, however many tasks of one phase ask for it. Asks no summarizer, since tasks wait for it. Where the pinned
 * items need more room than there is, they have it: a task cannot ask for a larger budget, and must not be kept from running.
 */
export function createContextTexts(parts: PackParts, em: EntityManager): ContextTexts {
  const texts = new Map<string, Promise<string>>();
  const find = async (place: PackPlace): Promise<string> => {
    const write = async (budgetTokens: number) => (await makePack(parts, em, { ...place, budgetTokens }, { maySummarize: false })).text;
    try {
      return await write(inputBudgetTokens);
    } catch (error) {
      if (!(error instanceof CoordinatorError) || typeof error.data['neededTokens'] !== 'number') throw error;
      return write(error.data['neededTokens']);
    }
  };
  return (place) => {
    const key = `${place.ticketId} ${place.forPhase}`;
    const text = texts.get(key) ?? find(place);
    texts.set(key, text);
    return text;
  };
}

/** The room that `{{ context }}` in a task's input takes, in tokens. */
const inputBudgetTokens = 4_000;

/** A phase as the pack has it. */
function narrow(phase: PhaseContext, chosen: readonly ContextItem[]): PhaseContext {
  const ofPhase = chosen.filter((item) => item.phase === phase.phase).toSorted((a, b) => numberOf(a) - numberOf(b));
  return {
    ...phase,
    items: ofPhase.filter(isStatement),
    summaries: ofPhase.filter(({ source }) => source === 'summary').map(({ text }) => text),
    artifacts: ofPhase.filter(({ source }) => source === 'artifact').map(toArtifactEntry),
  };
}

// As `itemsOfCompletion` has written it.
const toArtifactEntry = ({ data }: ContextItem) => data as PhaseContext['artifacts'][number];
