import type { ContextItem, JsonObject } from '@baton/protocol';
import type { SummaryTask } from '@baton/sdk/plugin';
import type { PluginHost, SummarizeOutcome } from '@baton/sdk/plugin/host';
import { LRUCache } from 'lru-cache';
import { withinMs } from '../deadline.ts';
import { type Database, transact } from '../db/transaction.ts';
import type { Log } from '../log.ts';
import type { Metrics } from '../metrics.ts';
import { hideSecrets } from '../summarizer-config.ts';
import { TicketEntity } from '../ticket/ticket.entity.ts';
import { findSummary, keepSummary } from './narrative.store.ts';
import { createSummaryTurns } from './summary-turns.ts';

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
  /** Asks the summarizer, once for the same work however many wait, and for one ticket after the other. Never rejects. */
  write(work: SummaryWork, options: { readonly waitMs: number }): Promise<Written>;
  /** Ends what is being written. */
  stop(): Promise<void>;
}

export interface WriterParts {
  readonly db: Database;
  readonly plugins: Pick<PluginHost, 'summarize'>;
  /** The name of the summarizer. */
  readonly use: string;
  readonly config: JsonObject;
  /** Counts as packs do, which may be otherwise than the summarizer did. */
  readonly count: (text: string) => number;
  /** How many are written at a time. */
  readonly inFlightMax: number;
  readonly log: Pick<Log, 'warn'>;
  readonly metrics: Pick<Metrics, 'recordSummary'>;
}

/** A summarizer that has failed is not asked for the same again before this: readers come often, and a model costs money. */
const failureKeptMs = 60_000;

/** What waits keeps its items, up to 200 KB each. Who asks for more is answered at once, and may ask again. */
const waitingMax = 200;

interface Job extends SummaryWork {
  readonly written: PromiseWithResolvers<Written>;
}

export function createSummaryWriter(parts: WriterParts): SummaryWriter {
  const jobs = new Map<string, Job>();
  const turns = createSummaryTurns<Job>();
  const failures = new LRUCache<string, Written>({ max: 1_000, ttl: failureKeptMs });
  const stopping = new AbortController();
  const running = new Set<Promise<void>>();

  /** Lets as many go on as may. */
  function proceed(): void {
    while (running.size < parts.inFlightMax) {
      const job = turns.take();
      if (job === undefined) return;
      const end = runJob(job).then(() => {
        running.delete(end);
        proceed();
      });
      running.add(end);
    }
  }

  async function runJob(job: Job): Promise<void> {
    const written = await run(parts, job, stopping.signal);
    if (written.outcome !== 'ok' && !stopping.signal.aborted) failures.set(job.digest, written);
    finish(job, written);
  }

  function finish(job: Job, written: Written): void {
    jobs.delete(job.digest);
    job.written.resolve(written);
  }

  function enter(work: SummaryWork): Job | undefined {
    if (stopping.signal.aborted || turns.size >= waitingMax) return undefined;
    const job = { ...work, written: Promise.withResolvers<Written>() };
    jobs.set(work.digest, job);
    const older = turns.put(job);
    if (older !== undefined)
      finish(older, { outcome: 'late', reason: 'The items have changed since, and it is written of those that are there now.' });
    proceed();
    return job;
  }

  return {
    async write(work, { waitMs }) {
      const failure = failures.get(work.digest);
      if (failure !== undefined) return failure;
      const job = jobs.get(work.digest) ?? enter(work);
      if (job === undefined) return { outcome: 'late', reason: 'Too many summaries are waited for. Ask again for it.' };
      try {
        return await withinMs(waitMs, job.written.promise);
      } catch {
        // Writing never rejects: what was thrown is that the time is over.
        return { outcome: 'late', reason: `It is still being written, and took longer than ${waitMs} ms so far. Ask again for it.` };
      }
    },
    async stop() {
      stopping.abort();
      for (let job = turns.take(); job !== undefined; job = turns.take())
        finish(job, { outcome: 'failed', reason: 'The coordinator stops.' });
      await Promise.all(running);
    },
  };
}

/** Never rejects. */
async function run(
  { db, plugins, use, config, count, log, metrics }: WriterParts,
  { items, budgetTokens, ...about }: SummaryWork,
  signal: AbortSignal,
): Promise<Written> {
  const startedAt = performance.now();
  const { digest, ticketId, phase, summarizer } = about;
  try {
    // Written meanwhile by another coordinator, or just before it was asked for.
    const kept = await findSummary(db.em.fork(), digest);
    if (kept !== undefined) return { outcome: 'ok', text: kept.text };
    const summary = judgeLength(await plugins.summarize({ use, config, items, budgetTokens, signal }), { budgetTokens, count });
    metrics.recordSummary(use, summary.outcome, performance.now() - startedAt);
    if (summary.outcome === 'ok') {
      const { text, citations } = summary;
      const { projectId } = await db.em.fork().findOneOrFail(TicketEntity, { id: ticketId });
      await transact(db, projectId, (tx) => keepSummary(tx, { ...about, text, citations }));
      return { outcome: 'ok', text };
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

function judgeLength(summary: SummarizeOutcome, { budgetTokens, count }: Pick<SummaryTask, 'budgetTokens' | 'count'>): SummarizeOutcome {
  const tokens = summary.outcome === 'ok' ? count(summary.text) : 0;
  return tokens <= budgetTokens ? summary : { outcome: 'error', message: `The summary has ${tokens} tokens, of ${budgetTokens} allowed.` };
}
