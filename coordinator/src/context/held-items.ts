import type { ContextItem } from '@baton/protocol';
import { LRUCache } from 'lru-cache';
import type { EntityManager } from '../db/orm.ts';
import { toNumber } from './citation.ts';
import { countChanged, countHolding, findHolding, type HoldingCount, listMostNeeded } from './holding.store.ts';
import { keepMostNeeded } from './most-needed.ts';
import { getLastSeqOfItems, type ItemEvent, listItemEvents } from './pack.store.ts';
import { dropRepeated, isSaying, isStatement } from './phase-context.ts';

/** What holds in tickets, kept from one pack to the next: read once, and then only what has changed. */
export interface HeldItems {
  /**
   * What holds of what was noted in these visits, and all that is pinned, as the snapshot has it that `em` reads; oldest first, each
   * statement once. Of a ticket where more than 20,000 items hold, those that are needed most. The same lists as long as nothing has
   * changed.
   */
  read(em: EntityManager, ticketId: string, visits: readonly number[]): Promise<Selection>;
}

export interface Selection {
  readonly items: readonly ContextItem[];
  /** Of each phase what can be said in short: all but artifacts. */
  readonly statements: ReadonlyMap<string, ContextItem[]>;
  /** How many more hold of what was noted in these visits, what was said more than once counted as often. */
  readonly notHeld: NotHeld;
}

export interface NotHeld {
  readonly items: number;
  readonly summaries: number;
  readonly artifacts: number;
}

interface Held {
  /** Of the newest event that has told of a change to them. */
  readonly seq: number;
  readonly items: readonly ContextItem[];
  /** How much holds in all where that may be more than these. */
  readonly counts: readonly HoldingCount[];
  /** By the visits. */
  readonly selections: Map<string, Selection>;
}

/** How many characters the items have that are kept together: 50,000 items of the usual size. */
const keptCharactersMax = 50_000_000;
/** What an item has beside its texts: ids, names, a moment. */
const itemCharacters = 500;
/** Packs are chosen from as many items of a ticket: what is pinned, what must not be forgotten, and the newest of the rest. */
const heldItemsMax = 20_000;
/** With more changes than these it is cheaper to read all. */
const changesMax = 1_000;

export function createHeldItems(itemsMax = heldItemsMax): HeldItems {
  const kept = new LRUCache<string, Held>({ maxSize: keptCharactersMax, sizeCalculation: ({ items }) => countCharacters(items) });

  async function readAll(em: EntityManager, ticketId: string): Promise<Held> {
    const seq = await getLastSeqOfItems(em, ticketId);
    const before = kept.get(ticketId);
    if (before?.seq === seq) return before;
    // A snapshot may be older than what another reader has left here meanwhile.
    const changed = before === undefined || before.seq > seq ? undefined : await readChanged(em, ticketId, { ...before, itemsMax });
    const items = changed?.items ?? (await listMostNeeded(em, ticketId, itemsMax));
    const counts = items.length < itemsMax ? [] : (changed?.counts ?? (await countHolding(em, ticketId)));
    const held = { seq, items, counts, selections: new Map<string, Selection>() };
    if (seq > (kept.get(ticketId)?.seq ?? 0)) kept.set(ticketId, held);
    return held;
  }

  return {
    async read(em, ticketId, visits) {
      const { selections, ...held } = await readAll(em, ticketId);
      const key = visits.join(' ');
      const known = selections.get(key);
      if (known !== undefined) return known;
      const selection = select(held, new Set(visits));
      selections.set(key, selection);
      return selection;
    },
  };
}

function countCharacters(items: readonly ContextItem[]): number {
  let characters = 1;
  for (const { text, rationale = '', references } of items)
    characters += references.reduce((sum, { value }) => sum + value.length, itemCharacters + text.length + rationale.length);
  return characters;
}

function select({ items: all, counts }: Pick<Held, 'items' | 'counts'>, visits: ReadonlySet<number>): Selection {
  const items = all.filter(({ visit, pinned }) => pinned || visits.has(visit));
  const byPhase = Map.groupBy(items.filter(isSaying), ({ phase }) => phase);
  return {
    items: dropRepeated(items),
    statements: new Map([...byPhase].map(([phase, ofPhase]) => [phase, dropRepeated(ofPhase)])),
    notHeld: countNotHeld(all, counts, visits),
  };
}

function countNotHeld(all: readonly ContextItem[], counts: readonly HoldingCount[], visits: ReadonlySet<number>): NotHeld {
  const notHeld = { items: 0, summaries: 0, artifacts: 0 };
  if (counts.length === 0) return notHeld;
  for (const { visit, source, items } of counts) if (visits.has(visit)) notHeld[listOf({ source })] += items;
  for (const item of all) if (visits.has(item.visit)) notHeld[listOf(item)] -= 1;
  return notHeld;
}

const listOf = ({ source }: Pick<ContextItem, 'source'>): keyof NotHeld =>
  isStatement({ source }) ? 'items' : source === 'summary' ? 'summaries' : 'artifacts';

/** What is held after what has changed, and how much holds where that was known; undefined where it is to be read anew. */
async function readChanged(
  em: EntityManager,
  ticketId: string,
  { seq, items, counts, itemsMax }: Pick<Held, 'seq' | 'items' | 'counts'> & { readonly itemsMax: number },
): Promise<{ items: readonly ContextItem[]; counts: HoldingCount[] | undefined } | undefined> {
  const events = await listItemEvents(em, ticketId, seq);
  const changed = new Set(events.flatMap(({ citations }) => citations));
  if (changed.size > changesMax) return undefined;
  const read = await findHolding(em, ticketId, [...changed]);
  const same = items.filter(({ citation }) => !changed.has(citation));
  const all = [...same, ...read].sort((a, b) => toNumber(a.citation) - toNumber(b.citation));
  const kept = keepMostNeeded(items, all, itemsMax);
  if (kept === undefined) return undefined;
  return { items: kept, counts: counts.length === 0 ? undefined : await countAgain(em, ticketId, { counts, events }) };
}

/** How much holds after these events. An item is told of when it comes and when it is given up, which it stays. */
async function countAgain(
  em: EntityManager,
  ticketId: string,
  { counts, events }: Pick<Held, 'counts'> & { readonly events: readonly ItemEvent[] },
): Promise<HoldingCount[]> {
  const last = Math.max(...counts.map((each) => each.last));
  const told = events.flatMap(({ name, citations }) =>
    name === 'context.superseded' ? citations : citations.filter((citation) => toNumber(citation) > last),
  );
  const changes = told.length === 0 ? [] : await countChanged(em, { ticketId, last }, [...new Set(told)]);
  const byGroup = new Map<string, HoldingCount>();
  for (const each of [...counts, ...changes]) {
    const key = `${each.visit} ${each.source}`;
    const before = byGroup.get(key) ?? { items: 0, last: 0 };
    byGroup.set(key, { ...each, items: before.items + each.items, last: Math.max(before.last, each.last) });
  }
  return [...byGroup.values()];
}
