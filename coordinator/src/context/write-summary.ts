import type { ContextItem, JsonObject } from '@baton/protocol';
import type { PluginHost } from '@baton/sdk/plugin/host';
import { LRUCache } from 'lru-cache';
import { withinMs } from '../deadline.ts';
import type { EntityManager } from '../db/orm.ts';
import type { Log } from '../log.ts';
import type { Metrics } from '../metrics.ts';
import { hideSecrets } from '../summarizer-config.ts';
import { keepSummary } from './narrative.store.ts';

export interface SummaryWork {
  readonly digest: string;
  readonly ticketId: string;
  readonly phase: string;
  /** With the version of its plugin. */
  readonly summarizer: string;
  readonly items: readonly ContextItem[];
  readonly budgetTokens: number;
}

export type Written =
  | { readonly outcome: 'ok'; readonly text: string }
  /** `late`: it goes on being written, and is kept for the next who asks. */
  | { readonly outcome: 'failed' | 'late'; readonly reason: string };

export interface SummaryWriter {
  /** Asks the summarizer, once for the same work however many wait. Never rejects. */
  write(work: SummaryWork, options: { readonly waitMs: number }): Promise<Written>;
  /** Ends what is being written. */
  stop(): Promise<void>;
}

export interface WriterParts {
  readonly em: EntityManager;
  readonly plugins: Pick<PluginHost, 'summarize'>;
  /** The name of the summarizer. */
  readonly use: string;
  readonly config: JsonObject;
  readonly log: Pick<Log, 'warn'>;
  readonly metrics: Pick<Metrics, 'recordSummary'>;
}

/** A summarizer that has failed is not asked for the same again before this: readers come often, and a model costs money. */
const failureKeptMs = 60_000;

export function createSummaryWriter(parts: WriterParts): SummaryWriter {
  const underWay = new Map<string, Promise<Written>>();
  const failures = new LRUCache<string, Written>({ max: 1_000, ttl: failureKeptMs });
  const stopping = new AbortController();
  // One at a time: a model may take long, and the other threads are for gates, which work waits for.
  let last: Promise<unknown> = Promise.resolve();

  function begin(work: SummaryWork): Promise<Written> {
    const writing = last
      .then(() => run(parts, work, stopping.signal))
      .then((written) => {
        if (written.outcome !== 'ok' && !stopping.signal.aborted) failures.set(work.digest, written);
        return written;
      })
      .finally(() => underWay.delete(work.digest));
    underWay.set(work.digest, writing);
    last = writing;
    return writing;
  }

  return {
    async write(work, { waitMs }) {
      const failure = failures.get(work.digest);
      if (failure !== undefined) return failure;
      try {
        return await withinMs(waitMs, underWay.get(work.digest) ?? begin(work));
      } catch {
        // Writing never rejects: what was thrown is that the time is over.
        return { outcome: 'late', reason: `It is still being written, and took longer than ${waitMs} ms so far. Ask again for it.` };
      }
    },
    async stop() {
      stopping.abort();
      await last;
    },
  };
}

/** Never rejects. */
async function run(
  { em, plugins, use, config, log, metrics }: WriterParts,
  { items, budgetTokens, ...about }: SummaryWork,
  signal: AbortSignal,
): Promise<Written> {
  const startedAt = performance.now();
  const { phase, summarizer } = about;
  try {
    const summary = await plugins.summarize({ use, config, items, budgetTokens, signal });
    metrics.recordSummary(use, summary.outcome, performance.now() - startedAt);
    if (summary.outcome === 'ok') {
      await keepSummary(em.fork(), { ...about, text: summary.text, citations: summary.citations });
      return { outcome: 'ok', text: summary.text };
    }
    const reason = hideSecrets(summary.message, config);
    if (!signal.aborted)
      log.warn(
        { phase, summarizer, outcome: summary.outcome, reason },
        'the summarizer failed, and the extractive summary takes its place',
      );
    return { outcome: 'failed', reason };
  } catch (error) {
    // The edge of what goes on when no reader waits any more: the next one asks anew.
    log.warn({ phase, summarizer, err: error }, 'a summary could not be kept');
    return { outcome: 'failed', reason: 'The summary could not be kept.' };
  }
}
