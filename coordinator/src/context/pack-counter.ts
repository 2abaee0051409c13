import type { ContextItem } from '@baton/protocol';
import { writeLine } from './pack-sections.ts';

export interface PackCounter {
  count(text: string): number;
  /** The tokens of the line that a pack has for an item. */
  countLine(item: ContextItem): number;
}

/** Counts the line of an item once, however many packs ask for it. */
export function createPackCounter(count: (text: string) => number): PackCounter {
  const lines = new WeakMap<ContextItem, number>();
  return {
    count,
    countLine(item) {
      const known = lines.get(item);
      if (known !== undefined) return known;
      const tokens = count(writeLine(item));
      lines.set(item, tokens);
      return tokens;
    },
  };
}
