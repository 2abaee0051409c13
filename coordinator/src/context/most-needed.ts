import type { ContextItem } from '@baton/protocol';
import { toNumber } from './citation.ts';
import { neededKinds } from './holding.store.ts';

/**
 * What is held of a ticket after a change: as many as may be, those that `listMostNeeded` would read. Given are what was held, and what
 * holds now of it and of what has changed, each in the order of the numbers. Undefined where something that was not held may be needed
 * more.
 */
export function keepMostNeeded(
  before: readonly ContextItem[],
  now: readonly ContextItem[],
  itemsMax: number,
): readonly ContextItem[] | undefined {
  const wereAllHeld = before.length < itemsMax;
  const ranked = byNeed(now);
  const left = new Set(ranked.slice(0, Math.max(0, now.length - itemsMax)));
  const kept = now.filter((item) => !left.has(item));
  if (wereAllHeld) return kept;
  // All that was not held is needed less than each that was.
  const [leastBefore] = byNeed(before);
  const least = ranked[left.size];
  const areAll = kept.length === itemsMax && least !== undefined && leastBefore !== undefined && !isNeededLess(least, leastBefore);
  return areAll ? kept : undefined;
}

/** What is pinned comes before what must not be forgotten, and that before the rest. */
const needOf = ({ pinned, source, kind }: ContextItem): number =>
  (pinned ? 2 : 0) + (source === 'said' && neededKinds.includes(kind) ? 1 : 0);

/** Of equals the older is. */
const isNeededLess = (a: ContextItem, b: ContextItem): boolean =>
  needOf(a) < needOf(b) || (needOf(a) === needOf(b) && toNumber(a.citation) < toNumber(b.citation));

/** The least needed first. */
function byNeed(items: readonly ContextItem[]): ContextItem[] {
  const groups = Map.groupBy(items, needOf);
  return [0, 1, 2, 3].flatMap((need) => groups.get(need) ?? []);
}
