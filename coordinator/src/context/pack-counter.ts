import type { ContextItem } from '@baton/protocol';
import { writeLine } from './pack-sections.ts';

export interface PackCounter {
  count(text: string): number;
  /** The tokens of the line that a pack has for an item. */
  countLine(item: ContextItem): number;
  /** Those of its line with all of its reasons. */
  countWhole(item: ContextItem): number;
}

/** Counts the line of an item once, however many packs ask for it. */
export function createPackCounter(count: (text: string) => number): PackCounter {
  const countOnce = (write: (item: ContextItem) => string) => {
    const counts = new WeakMap<ContextItem, number>();
    return (item: ContextItem): number => {
      const known = counts.get(item);
      if (known !== undefined) return known;
      const tokens = count(write(item));
      counts.set(item, tokens);
      return tokens;
    };
  };
  return { count, countLine: countOnce((item) => writeLine(item)), countWhole: countOnce((item) => writeLine(item, Infinity)) };
}
