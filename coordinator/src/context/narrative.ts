import type { ContextItem, JsonObject, Narrative, PhaseContext } from '@baton/protocol';
import { coveredKinds, findSummaryFault, findUncovered } from '@baton/sdk/plugin';
import { countTokens, type PluginHost } from '@baton/sdk/plugin/host';
import { digestOf } from '../artifact/digest.ts';
import type { EntityManager } from '../db/orm.ts';
import { withoutSecrets } from '../summarizer-config.ts';
import type { Extracts } from './extract/extracts.ts';
import { findNewestSummary, findSummary } from './narrative.store.ts';
import type { SummaryWork, SummaryWriter } from './write-summary.ts';

/** How long the narrative of one phase may be, in tokens. */
const narrativeTokens = 800;

/** As much a summarizer is given: what has to be covered first, then the newest. */
const itemsMax = 1_000;
const charactersMax = 200_000;

export interface NarrativeParts {
  readonly plugins: Pick<PluginHost, 'list'>;
  readonly writer: SummaryWriter;
  /** The name of the summarizer that is set. */
  readonly summarizer: string;
  readonly config: JsonObject;
  /** How long a reader waits for a summary that nobody has asked for before. */
  readonly waitMs: number;
  readonly extracts: Extracts;
  /** What is to be summarized of items that have not changed since: its digest costs some time. */
  readonly plans: WeakMap<readonly ContextItem[], PlannedWork>;
  /** Whether the last one is answered while a new one is being written; so unless given. */
  readonly mayBeStale?: boolean;
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
  const { uncovered, ...narrative } = await findNarrative(parts, em, work);
  return { ...phase, narrative: { ...narrative, uncovered: [...uncovered, ...work.leftOut] } };
}

async function findNarrative(parts: NarrativeParts, em: EntityManager, work: PlannedWork): Promise<Narrative> {
  const kept = await findSummary(em, work.digest);
  const written =
    kept === undefined ? await parts.writer.write(work, { waitMs: parts.waitMs }) : { outcome: 'ok' as const, text: kept.text };
  if (written.outcome === 'ok') return toNarrative(written.text, work, { stale: false });

  const { mayBeStale = true } = parts;
  const older = mayBeStale && written.outcome === 'late' ? await findNewestSummary(em, work) : undefined;
  if (older !== undefined && findSummaryFault(older, { ...work, count: countTokens }) === undefined)
    return toNarrative(older.text, { ...work, ...older }, { stale: true });
  return { ...(await extract(parts, work)), fallbackBecause: written.reason };
}

interface PlannedWork extends SummaryWork {
  /** What has to be covered and is not given to the summarizer, by citation. */
  readonly leftOut: readonly string[];
}

function planSummary(parts: NarrativeParts, { phase, items: all }: PhaseContext): PlannedWork | undefined {
  const known = parts.plans.get(all);
  if (known !== undefined) return known;
  const items = chooseItems(all);
  const ticketId = items[0]?.ticketId;
  if (ticketId === undefined) return undefined;
  const summarizer = nameAuthor(parts);
  const about = { ticketId, phase, summarizer, items, budgetTokens: narrativeTokens };
  const given = new Set(items);
  const leftOut = all.filter((item) => isDue(item) && !given.has(item)).map(({ citation }) => citation);
  const work = { ...about, leftOut, digest: digestWork(about, parts.config) };
  parts.plans.set(all, work);
  return work;
}

function toNarrative(
  text: string,
  { summarizer, digest, items }: Omit<SummaryWork, 'ticketId'>,
  { stale }: { readonly stale: boolean },
): Narrative {
  return { text, by: summarizer, uncovered: findUncovered(text, items).map(({ citation }) => citation), digest, stale };
}

const extractive = 'extractive';

async function extract({ extracts }: NarrativeParts, work: SummaryWork): Promise<Narrative> {
  const own = { ...work, summarizer: extractive, digest: digestWork({ ...work, summarizer: extractive }) };
  return toNarrative(await extracts.write(own), own, { stale: false });
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
    items: items.map(({ citation, kind, text, rationale, pinned, data, references, author }) => [
      citation,
      kind,
      text,
      rationale ?? null,
      pinned,
      data ?? null,
      references.map(({ kind, value, line }) => [kind, value, line ?? null]),
      author,
    ]),
  }).sha256;

const isDue = ({ kind }: ContextItem): boolean => coveredKinds.includes(kind);

/** Oldest first, and at least one. */
function chooseItems(items: readonly ContextItem[]): readonly ContextItem[] {
  const newestFirst = items.toReversed();
  const chosen = new Set<ContextItem>();
  let characters = 0;
  for (const item of [...newestFirst.filter(isDue), ...newestFirst.filter((each) => !isDue(each))]) {
    characters += item.text.length + (item.rationale?.length ?? 0);
    if (chosen.size > 0 && (chosen.size === itemsMax || characters > charactersMax)) break;
    chosen.add(item);
  }
  return chosen.size === items.length ? items : items.filter((item) => chosen.has(item));
}
