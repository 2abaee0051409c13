import type { ContextItem } from '@baton/protocol';
import type { PackCounter } from './pack-counter.ts';
import type { Line } from './pack-room.ts';
import { headingOf, reasonsMax, writeLine } from './pack-sections.ts';

/** A line of a pack that has not all of its item. */
export interface CutLine extends Line {
  /** As it stands there. */
  readonly shown: ContextItem;
  readonly whole: ContextItem;
  /** How many more the whole would take. */
  readonly tokens: number;
}

/** Those of the lines that have not all of their items, the one that lacks least first: so as many as can be are made whole. */
export function findCutLines(
  shown: readonly ContextItem[],
  wholes: ReadonlyMap<string, ContextItem>,
  { count, countWhole }: PackCounter,
): CutLine[] {
  const lines = shown.flatMap((item): CutLine[] => {
    const whole = wholes.get(item.citation) ?? item;
    if (whole === item && (item.rationale ?? '').length <= reasonsMax) return [];
    const line = writeLine(item);
    if (line === writeLine(whole, Infinity)) return [];
    return [{ heading: headingOf(item), shown: item, whole, tokens: Math.max(1, countWhole(whole) - count(line)) }];
  });
  return lines.sort((a, b) => a.tokens - b.tokens);
}

/** What a text shows, with these lines made whole. */
export function makeWhole(
  shown: readonly ContextItem[],
  lines: readonly CutLine[],
): { readonly chosen: readonly ContextItem[]; readonly whole: ReadonlySet<ContextItem> } {
  const wholes = new Map(lines.map(({ shown, whole }) => [shown, whole]));
  return { chosen: shown.map((item) => wholes.get(item) ?? item), whole: new Set(wholes.values()) };
}
