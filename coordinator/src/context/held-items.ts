import type { ContextItem } from '@baton/protocol';
import { LRUCache } from 'lru-cache';
import type { EntityManager } from '../db/orm.ts';
import { toNumber } from './citation.ts';
import { findHolding, listMostNeeded } from './context.store.ts';
import { getLastSeqOfItems, listItemEvents } from './pack.store.ts';
import { dropRepeated, isSaying } from './phase-context.ts';

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
}

interface Held {
  /** Of the newest event that has told of a change to them. */
  readonly seq: number;
  readonly items: readonly ContextItem[];
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
    const items =
      before === undefined || before.seq > seq
        ? await listMostNeeded(em, ticketId, itemsMax)
        : await readChanged(em, ticketId, { ...before, itemsMax });
    const held = { seq, items, selections: new Map<string, Selection>() };
    if (seq > (kept.get(ticketId)?.seq ?? 0)) kept.set(ticketId, held);
    return held;
  }

  return {
    async read(em, ticketId, visits) {
      const { items, selections } = await readAll(em, ticketId);
      const key = visits.join(' ');
      const known = selections.get(key);
      if (known !== undefined) return known;
      const selection = select(items, new Set(visits));
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

function select(all: readonly ContextItem[], visits: ReadonlySet<number>): Selection {
  const items = all.filter(({ visit, pinned }) => pinned || visits.has(visit));
  const byPhase = Map.groupBy(items.filter(isSaying), ({ phase }) => phase);
  return {
    items: dropRepeated(items),
    statements: new Map([...byPhase].map(([phase, ofPhase]) => [phase, dropRepeated(ofPhase)])),
  };
}

async function readChanged(
  em: EntityManager,
  ticketId: string,
  { seq, items, itemsMax }: Held & { readonly itemsMax: number },
): Promise<ContextItem[]> {
  const changed = new Set((await listItemEvents(em, ticketId, seq)).flatMap(({ citations }) => citations));
  // Where there are more than are held, one that comes or goes decides about others as well.
  if (changed.size > changesMax || items.length + changed.size > itemsMax) return listMostNeeded(em, ticketId, itemsMax);
  const read = await findHolding(em, ticketId, [...changed]);
  const same = items.filter(({ citation }) => !changed.has(citation));
  return [...same, ...read].sort((a, b) => toNumber(a.citation) - toNumber(b.citation));
}
