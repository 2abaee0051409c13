import type { ContextItem, JsonObject, Narrative, PhaseContext } from '@baton/protocol';
import { byNeed, findSummaryFault, findUncovered, isDue, mayBeRetold } from '@baton/sdk/plugin';
import type { PluginHost } from '@baton/sdk/plugin/host';
import { digestOf } from '../artifact/digest.ts';
import type { EntityManager } from '../db/orm.ts';
import { withoutSecrets } from '../summarizer-config.ts';
import type { Extracts } from './extract/extracts.ts';
import { findNewestSummary, findSummary } from './narrative.store.ts';
import type { SummaryWork, SummaryWriter, Written } from './write-summary.ts';

/** How long the narrative of one phase may be, in tokens. */
const narrativeTokens = 800;

/** As much a summarizer is given: what has to be covered first, then the newest. */
const itemsMax = 1_000;
const charactersMax = 200_000;
/** Of more than these a reader learns no more. */
export const uncoveredMax = 1_000;

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
  /** As packs do. */
  readonly count: (text: string) => number;
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
  const written = kept === undefined ? await ask(parts, work, parts.waitMs) : { outcome: 'ok' as const, text: kept.text };
  if (written.outcome === 'ok') return withNarrative(phase, work, toNarrative(written.text, work, { stale: false }));

  const older = written.outcome === 'late' ? await findNewestSummary(em, work) : undefined;
  if (older !== undefined && findSummaryFault(older, { ...work, count: parts.count }) === undefined)
    return withNarrative(phase, work, toNarrative(older.text, { ...work, ...older }, { stale: true }));
  return withNarrative(phase, work, await extract(parts, work, written.reason));
}

/** Lets the summarizer write what is not kept of these phases, and waits for it no longer than a reader does. */
export async function awaitNarratives(
  parts: NarrativeParts,
  phases: readonly PhaseContext[],
  kept: ReadonlyMap<string, string>,
): Promise<ReadonlyMap<string, Written>> {
  const missing = phases.flatMap((phase) => planSummary(parts, phase) ?? []).filter(({ digest }) => !kept.has(digest));
  return new Map(await Promise.all(missing.map(async (work) => [work.digest, await ask(parts, work, parts.waitMs)] as const)));
}

/**
 * Adds to what a phase has come to what is kept of it, else the extractive summary and why there is no other: so that what is
 * stored, and no length of waiting, decides what is told. What has come since it was waited for is written for the next reader.
 */
export async function addKeptNarrative(
  parts: NarrativeParts,
  phase: PhaseContext,
  { kept, waited }: { readonly kept: ReadonlyMap<string, string>; readonly waited: ReadonlyMap<string, Written> },
): Promise<PhaseContext> {
  const work = planSummary(parts, phase);
  if (work === undefined) return phase;
  const text = kept.get(work.digest);
  if (text !== undefined) return withNarrative(phase, work, toNarrative(text, work, { stale: false }));
  const written = waited.get(work.digest) ?? (await ask(parts, work, 0));
  const reason = written.outcome === 'ok' ? 'It was written just now. Ask again for it.' : written.reason;
  return withNarrative(phase, work, await extract(parts, work, reason));
}

const withNarrative = (phase: PhaseContext, { leftOut }: PlannedWork, narrative: Narrative): PhaseContext => ({
  ...phase,
  narrative: { ...narrative, uncovered: [...narrative.uncovered, ...leftOut].slice(0, uncoveredMax) },
});

/** Asks the summarizer, unless it could only fail: a model that is asked costs money. */
function ask({ writer }: NarrativeParts, { leastTokens, ...work }: PlannedWork, waitMs: number): Promise<Written> {
  if (leastTokens <= work.budgetTokens) return writer.write(work, { waitMs });
  const due = work.items.filter(isDue).length;
  const reason = `What it must have of the ${due} constraints, rejected alternatives and numbers has ${leastTokens} tokens, and a summary has ${work.budgetTokens}.`;
  return Promise.resolve({ outcome: 'failed', reason });
}

/** Of each that has to be covered a summary has the citation, and perhaps its very words, which several may share. */
function writeLeast(items: readonly ContextItem[]): string {
  const due = items.filter(isDue);
  const words = new Set(due.filter((item) => !mayBeRetold(item)).map(({ text }) => text.replaceAll(/\s+/g, ' ').trim()));
  return `${[...words].join('\n')}[${due.map(({ citation }) => citation).join(',')}]`;
}

interface PlannedWork extends SummaryWork {
  /** What has to be covered and is not given to the summarizer, by citation. */
  readonly leftOut: readonly string[];
  /** With fewer no summary covers what it has to. */
  readonly leastTokens: number;
}

/** What is to be summarized of a phase; undefined where it has no items. */
export function planSummary(parts: NarrativeParts, { phase, items: all }: PhaseContext): PlannedWork | undefined {
  const known = parts.plans.get(all);
  if (known !== undefined) return known;
  const items = chooseItems(all);
  const ticketId = items[0]?.ticketId;
  if (ticketId === undefined) return undefined;
  const summarizer = nameAuthor(parts);
  const about = { ticketId, phase, summarizer, items, budgetTokens: narrativeTokens };
  const given = new Set(items);
  const leftOut = all.filter((item) => isDue(item) && !given.has(item)).map(({ citation }) => citation);
  const leastTokens = parts.count(writeLeast(items));
  const work = { ...about, leftOut, leastTokens, digest: digestWork(about, parts.config) };
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

async function extract({ extracts }: NarrativeParts, work: SummaryWork, fallbackBecause: string): Promise<Narrative> {
  const own = { ...work, summarizer: extractive, digest: digestWork({ ...work, summarizer: extractive }) };
  return { ...toNarrative(await extracts.write(own), own, { stale: false }), fallbackBecause };
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
    items: items.map(({ citation, kind, text, rationale, pinned, references, author }) => [
      citation,
      kind,
      text,
      rationale ?? null,
      pinned,
      references.map(({ kind, value, line }) => [kind, value, line ?? null]),
      author,
    ]),
  }).sha256;

/** Oldest first, and at least one. */
function chooseItems(items: readonly ContextItem[]): readonly ContextItem[] {
  const chosen = new Set<ContextItem>();
  let characters = 0;
  for (const item of byNeed(items)) {
    characters += item.text.length + (item.rationale?.length ?? 0);
    if (chosen.size > 0 && (chosen.size === itemsMax || characters > charactersMax)) break;
    chosen.add(item);
  }
  return chosen.size === items.length ? items : items.filter((item) => chosen.has(item));
}
