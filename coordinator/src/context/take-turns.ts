import type { ContextItem, ContextKind } from '@baton/protocol';

/** A line of a pack, of one item. */
export interface Entry {
  readonly item: ContextItem;
  readonly tokens: number;
}

/** A line that is no larger than this is never put off. */
const smallLine = 96;

/** What gets lost in other hand-offs, and must not here. */
const kept: ReadonlySet<ContextKind> = new Set(['instruction', 'constraint', 'number', 'rejected']);

/** Whether it is of what must not be forgotten: as much of it as fits is told where all of it does not. */
export const isKept = ({ source, kind }: ContextItem): boolean => source === 'said' && kept.has(kind);

/**
 * How much of its size has to have been given out before a large line may come. One of what must not be forgotten waits for a third,
 * so that some short ones are told beside it; any other for eight times as much, so that where it does not fit eight ninths of the budget are used.
 */
const waitOf = (item: ContextItem): number => (isKept(item) ? 1 / 3 : 8);

/**
 * The rank, except that large lines wait until smaller ones have been given out: else one long item would take the place of many,
 * and where it does not fit nothing behind it would be reached. What waits comes in the order of its size.
 */
export function takeTurns(ranked: readonly Entry[], spentBefore: number): Entry[] {
  const order: Entry[] = [];
  const waiting: Waiting[] = [];
  let first = 0;
  let spent = spentBefore;
  const place = (entry: Entry) => {
    order.push(entry);
    spent += entry.tokens;
  };
  for (const entry of ranked) {
    const dueAt = entry.tokens <= smallLine ? 0 : entry.tokens * waitOf(entry.item);
    if (dueAt <= spent) place(entry);
    else waiting.splice(findPlace(waiting, dueAt, first), 0, { entry, dueAt });
    for (let next = waiting[first]; next !== undefined && next.dueAt <= spent; next = waiting[first]) {
      first += 1;
      place(next.entry);
    }
  }
  return [...order, ...waiting.slice(first).map(({ entry }) => entry)];
}

interface Waiting {
  readonly entry: Entry;
  readonly dueAt: number;
}

/** Behind all that are due no later, which stand from `first` on in the order in which they are due. */
function findPlace(waiting: readonly Waiting[], dueAt: number, first: number): number {
  let [low, high] = [first, waiting.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((waiting[middle]?.dueAt ?? 0) <= dueAt) low = middle + 1;
    else high = middle;
  }
  return low;
}
