import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ContextItem } from '@baton/protocol';
import { LRUCache } from 'lru-cache';
import { extractSummary } from './extract-summary.ts';

export interface ExtractOf {
  /** Of the items and the budget. */
  readonly digest: string;
  readonly items: readonly ContextItem[];
  readonly budgetTokens: number;
}

/** Extractive summaries, made once for the same items, and one in a turn of the event loop, so that others are served between them. */
export interface Extracts {
  write(of: ExtractOf): Promise<string>;
}

const keptMax = 500;

export function createExtracts(count: (text: string) => number): Extracts {
  const kept = new LRUCache<string, Promise<string>>({ max: keptMax });
  let last: Promise<unknown> = Promise.resolve();
  return {
    write({ digest, items, budgetTokens }) {
      const known = kept.get(digest);
      if (known !== undefined) return known;
      const written = last.then(() => nextTurn()).then(() => extractSummary({ items, budgetTokens, count }).text);
      kept.set(digest, written);
      // One that cannot be written is written anew for the next reader, and keeps no other from being written.
      last = written.catch(() => kept.delete(digest));
      return written;
    },
  };
}
