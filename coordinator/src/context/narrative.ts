import type { ContextItem, JsonObject, Narrative, PhaseContext } from '@baton/protocol';
import { findSummaryFault, findUncovered } from '@baton/sdk/plugin';
import { countTokens, type PluginHost } from '@baton/sdk/plugin/host';
import type { LRUCache } from 'lru-cache';
import { digestOf } from '../artifact/digest.ts';
import type { EntityManager } from '../db/orm.ts';
import { withoutSecrets } from '../summarizer-config.ts';
import { extractSummary } from './extract/extract-summary.ts';
import { findNewestSummary, findSummary } from './narrative.store.ts';
import type { SummaryWork, SummaryWriter } from './write-summary.ts';

/** How long the narrative of one phase may be, in tokens. */
const narrativeTokens = 800;

/** As many items a summarizer is given: what has to be covered first, then the newest. */
const itemsMax = 2_000;

export interface NarrativeParts {
  readonly plugins: Pick<PluginHost, 'list'>;
  readonly writer: SummaryWriter;
  /** The name of the summarizer that is set. */
  readonly summarizer: string;
  readonly config: JsonObject;
  /** How long a reader waits for a summary that nobody has asked for before. */
  readonly waitMs: number;
  /** Extractive summaries, by their digest: making one takes up to 100 ms of the event loop. */
  readonly extracts: LRUCache<string, Narrative>;
}

/**
 * Adds to what a phase has come to what the summarizer says of it. It is made once for the same items, budget, and version of
 * the plugin, and kept. Where the summarizer fails, breaks a promise or takes too long, the extractive summary of these very
 * items takes its place, and the reason stands beside it. While a new one is being written the last one is answered as stale,
 * and only if it keeps all its promises for the items as they are now. Never called where a task waits to be claimed.
 */
export async function addNarrative(parts: NarrativeParts, em: EntityManager, phase: PhaseContext): Promise<PhaseContext> {
  const work = planSummary(parts, phase);
  if (work === undefined) return phase;
  const kept = await findSummary(em, work.digest);
  const written =
    kept === undefined ? await parts.writer.write(work, { waitMs: parts.waitMs }) : { outcome: 'ok' as const, text: kept.text };
  if (written.outcome === 'ok') return { ...phase, narrative: toNarrative(written.text, work, { stale: false }) };

  const older = written.outcome === 'late' ? await findNewestSummary(em, work) : undefined;
  if (older !== undefined && findSummaryFault(older, { ...work, count: countTokens }) === undefined)
    return { ...phase, narrative: toNarrative(older.text, { ...work, ...older }, { stale: true }) };
  return { ...phase, narrative: { ...extract(parts, work), fallbackBecause: written.reason } };
}

function planSummary(parts: NarrativeParts, { phase, items: all }: PhaseContext): SummaryWork | undefined {
  const items = chooseItems(all);
  const ticketId = items[0]?.ticketId;
  if (ticketId === undefined) return undefined;
  const summarizer = nameAuthor(parts);
  const about = { ticketId, phase, summarizer, items, budgetTokens: narrativeTokens };
  return { ...about, digest: digestWork(about, parts.config) };
}

function toNarrative(
  text: string,
  { summarizer, digest, items }: Omit<SummaryWork, 'ticketId'>,
  { stale }: { readonly stale: boolean },
): Narrative {
  return { text, by: summarizer, uncovered: findUncovered(text, items).map(({ citation }) => citation), digest, stale };
}

const extractive = 'extractive';

function extract({ extracts }: NarrativeParts, work: SummaryWork): Narrative {
  const own = { ...work, summarizer: extractive, digest: digestWork({ ...work, summarizer: extractive }) };
  const known = extracts.get(own.digest);
  if (known !== undefined) return known;
  const narrative = toNarrative(extractSummary({ ...own, count: countTokens }).text, own, { stale: false });
  extracts.set(own.digest, narrative);
  return narrative;
}

/** The summarizer with the version of the plugin that offers it, since another version may write something else. */
function nameAuthor({ plugins, summarizer }: NarrativeParts): string {
  const plugin = plugins.list().find(({ summarizers }) => summarizers.includes(summarizer));
  return plugin === undefined ? summarizer : `${summarizer}@${plugin.version}`;
}

/** Of all that a summary is made from. */
const digestWork = ({ summarizer, ticketId, items, budgetTokens }: Omit<SummaryWork, 'digest'>, config: JsonObject = {}): string =>
  digestOf({
    summarizer,
    config: withoutSecrets(config),
    ticketId,
    budgetTokens,
    items: items.map(({ citation, kind, text, rationale, pinned }) => [citation, kind, text, rationale ?? null, pinned]),
  }).sha256;

/** Oldest first. */
function chooseItems(items: readonly ContextItem[]): readonly ContextItem[] {
  if (items.length <= itemsMax) return items;
  const due = findUncovered('', items).toReversed();
  const chosen = new Set([...due, ...items.toReversed()].slice(0, itemsMax));
  return items.filter((item) => chosen.has(item));
}
