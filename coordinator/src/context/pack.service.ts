import { createHash } from 'node:crypto';
import { type ContextPack, CoordinatorError, type PhaseContext } from '@baton/protocol';
import type { EntityManager } from '../db/orm.ts';
import type { HeldItems } from './held-items.ts';
import { forEachInTurns, giveWay } from './in-turns.ts';
import { addKeptNarrative, awaitNarratives, type NarrativeParts } from './narrative.ts';
import type { PackCounter } from './pack-counter.ts';
import { nameCut, nameOmitted } from './not-told.ts';
import { narrativeFrom, writePack } from './pack-rules.ts';
import { type PackPlace, type PackState, readPackState } from './pack-state.ts';
import { getLastSeqOfTicket } from './pack.store.ts';
import { fillPhase } from './phase-context.ts';
import { rankItems } from './rank-items.ts';
import type { Relevance } from './relevance.ts';
import type { TokenCounter } from './token-counter.ts';
import type { Written } from './write-summary.ts';

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
  const isWanted = maySummarize && query.since === undefined && query.budgetTokens >= narrativeFrom;
  if (!isWanted) return packState(parts, query, await readPackState({ held }, em, query));
  const state = await readPackState({ held, narrative }, em, query);
  const waited = await awaitNarratives(narrative, earlierOf(query, state), state.kept);
  // Meanwhile a summary may have been kept, or something withdrawn. What is there by now is told, and nothing more is waited for.
  const isSame = (await getLastSeqOfTicket(em, query.ticketId)) === state.asOf;
  const now = isSame ? state : await readPackState({ held, narrative }, em, query);
  return packState(parts, query, await narrate(narrative, query, now, waited));
}

const earlierOf = ({ forPhase }: PackQuery, { phases }: PackState) => phases.filter(({ phase }) => phase !== forPhase);

/** With what is said of the earlier phases in short: by the summarizer where that is kept, else by the coordinator itself. */
async function narrate(
  parts: NarrativeParts,
  query: PackQuery,
  state: PackState,
  waited: ReadonlyMap<string, Written>,
): Promise<PackState> {
  const earlier = new Set(earlierOf(query, state));
  const phases = await Promise.all(
    state.phases.map(async (phase) => (earlier.has(phase) ? addKeptNarrative(parts, phase, { kept: state.kept, waited }) : phase)),
  );
  return { ...state, phases };
}

async function packState(
  { relevance, counter, lines }: PackParts,
  query: PackQuery,
  { asOf, phases, items, notConsidered, changes }: PackState,
): Promise<ContextPack> {
  const { ticketId, forPhase, budgetTokens, query: text = '' } = query;
  const wanted = changes === undefined ? items : items.filter(({ citation }) => changes.came.has(citation));
  const order = phases.map(({ phase }) => phase);
  const scores = await relevance.score(`${ticketId} ${forPhase} ${changes === undefined ? '' : 'since'}`, wanted, text);
  await giveWay();
  const ranked = rankItems(wanted, { phases: order, query: text, relevance: scores });
  // Each line is counted once, and most have been for an earlier pack.
  await forEachInTurns(ranked, lines.countLine);
  await giveWay();
  // The nearest phase first.
  const narratives = phases.flatMap(({ narrative }) => narrative?.text ?? []).toReversed();
  const { chosen, omitted, cut, ...written } = writePack(
    {
      ranked,
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
    phases: phases.filter((phase) => phase !== own).map((phase) => fillPhase(phase, chosen)),
    budgetTokens,
    counter: counter.name,
    ...written,
    ...nameOmitted(omitted),
    ...(own !== undefined && { own: fillPhase(own, chosen) }),
    ...(notConsidered > 0 && { notConsidered }),
    ...nameCut(cut),
  };
  const lasting = { ...told, phases: told.phases.map(withoutReason) };
  return { ...told, asOf, digest: createHash('sha256').update(JSON.stringify(lasting)).digest('hex') };
}

/** Why there is no summary of the summarizer is of the moment. */
function withoutReason({ narrative, ...phase }: PhaseContext): PhaseContext {
  if (narrative === undefined) return phase;
  const { fallbackBecause: _, ...lasting } = narrative;
  return { ...phase, narrative: lasting };
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
