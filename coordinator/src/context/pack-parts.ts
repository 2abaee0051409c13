import type { JsonObject } from '@baton/protocol';
import type { PluginHost } from '@baton/sdk/plugin/host';
import { createExtracts } from './extract/extracts.ts';
import { createHeldItems } from './held-items.ts';
import { createPackCounter } from './pack-counter.ts';
import type { PackParts } from './pack.service.ts';
import { createRelevance } from './relevance.ts';
import type { TokenCounter } from './token-counter.ts';
import { createSummaryWriter, type WriterParts } from './write-summary.ts';

export interface PackSettings {
  /** The name of the summarizer that is set, and its configuration. */
  readonly summarizer: string;
  readonly summarizerConfig: JsonObject;
  readonly summaryWaitMs: number;
  readonly summariesInFlightMax: number;
}

type Given = Pick<WriterParts, 'db' | 'log' | 'metrics'> & { readonly plugins: PluginHost; readonly counter: TokenCounter };

/** What packs are made with, and keep from one to the next. */
export function createPackParts({ counter, ...given }: Given, settings: PackSettings): PackParts {
  const { summarizer, summarizerConfig: config, summaryWaitMs: waitMs, summariesInFlightMax: inFlightMax } = settings;
  const { count } = counter;
  return {
    counter,
    lines: createPackCounter(count),
    held: createHeldItems(),
    relevance: createRelevance(),
    narrative: {
      plugins: given.plugins,
      writer: createSummaryWriter({ ...given, use: summarizer, config, count, inFlightMax }),
      summarizer,
      config,
      waitMs,
      extracts: createExtracts(count),
      count,
      plans: new WeakMap(),
    },
  };
}
