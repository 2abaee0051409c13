import type { ContextItem, JsonObject, PhaseContext } from '@baton/protocol';
import { digestOf } from '../artifact/digest.ts';
import type { EntityManager } from '../db/orm.ts';
import type { Log } from '../log.ts';
import { findKeptSummary, keepSummary } from './context.store.ts';

/** How long the summary of one phase may be, in tokens. */
const narrativeTokens = 800;

export interface Summarizers {
  summarize(options: {
    readonly use: string;
    readonly config: JsonObject;
    readonly items: readonly ContextItem[];
    readonly budgetTokens: number;
  }): Promise<{ readonly outcome: 'ok'; readonly text: string } | { readonly outcome: 'error' | 'timeout'; readonly message: string }>;
}

export interface NarrativeParts {
  readonly summarizers: Summarizers;
  readonly summarizer: string;
  readonly log: Pick<Log, 'warn'>;
}

/**
 * Adds the summarizer's words to what a phase has come to. Kept by the digest of what they were made from, so that they are
 * made once and go stale with it. A summarizer that fails leaves the phase without a narrative, its items untouched.
 */
export async function addNarrative(
  { summarizers, summarizer, log }: NarrativeParts,
  em: EntityManager,
  phase: PhaseContext,
): Promise<PhaseContext> {
  if (phase.items.length === 0) return phase;
  const { sha256: digest } = digestOf({
    summarizer,
    narrativeTokens,
    items: phase.items.map(({ citation, kind, text, rationale }) => [citation, kind, text, rationale ?? null]),
    ticket: phase.items[0]?.ticketId ?? '',
  });
  const kept = await findKeptSummary(em, digest);
  if (kept !== undefined) return { ...phase, narrative: kept };

  const summary = await summarizers.summarize({ use: summarizer, config: {}, items: phase.items, budgetTokens: narrativeTokens });
  if (summary.outcome !== 'ok') {
    log.warn({ phase: phase.phase, summarizer, outcome: summary.outcome, reason: summary.message }, 'the summarizer failed');
    return phase;
  }
  await keepSummary(em, digest, summary.text);
  return { ...phase, narrative: summary.text };
}
