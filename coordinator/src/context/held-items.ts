import type { ContextItem } from '@baton/protocol';
import { LRUCache } from 'lru-cache';
import type { EntityManager } from '../db/orm.ts';
import { findItems, listHoldingOfTicket } from './context.store.ts';
import { getLastSeqOfItems, listItemEvents } from './pack.store.ts';
import { dropRepeated, isStatement } from './phase-context.ts';
import { numberOf } from './rank-items.ts';

/** What holds in tickets, kept from one pack to the next: read once, and then only what has changed. */
export interface HeldItems {
  /**
   * What holds of what was noted in these visits, and all that is pinned, as the snapshot has it that `em` reads; oldest first, each statement once. The
   * same lists as long as nothing has changed.
   */
  read(em: EntityManager, ticketId: string, visits: readonly number[]): Promise<Selection>;
}

export interface Selection {
  readonly items: readonly ContextItem[];
  /** Of each phase, without summaries and artifacts. */
  readonly statements: ReadonlyMap<string, ContextItem[]>;
}

interface Held {
  /** Of the newest event that has told of a change to them. */
  readonly seq: number;
  readonly items: readonly ContextItem[];
  /** By the visits. */
  readonly selections: Map<string, Selection>;
}

/** How many items are kept together; about 1 KB each. */
const keptItemsMax = 50_000;
/** With more changes than these it is cheaper to read all. */
const changesMax = 1_000;

export function createHeldItems(): HeldItems {
  const kept = new LRUCache<string, Held>({ maxSize: keptItemsMax, sizeCalculation: ({ items }) => items.length + 1 });

  async function readAll(em: EntityManager, ticketId: string): Promise<Held> {
    const seq = await getLastSeqOfItems(em, ticketId);
    const before = kept.get(ticketId);
    if (before?.seq === seq) return before;
    // A snapshot may be older than what another reader has left here meanwhile.
    const items =
      before === undefined || before.seq > seq ? await listHoldingOfTicket(em, ticketId) : await readChanged(em, ticketId, before);
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

function select(all: readonly ContextItem[], visits: ReadonlySet<number>): Selection {
  const items = all.filter(({ visit, pinned }) => pinned || visits.has(visit));
  const byPhase = Map.groupBy(items.filter(isStatement), ({ phase }) => phase);
  return {
    items: dropRepeated(items),
    statements: new Map([...byPhase].map(([phase, ofPhase]) => [phase, dropRepeated(ofPhase)])),
  };
}

async function readChanged(em: EntityManager, ticketId: string, { seq, items }: Held): Promise<ContextItem[]> {
  const changed = new Set((await listItemEvents(em, ticketId, seq)).flatMap(({ citations }) => citations));
  if (changed.size > changesMax) return listHoldingOfTicket(em, ticketId);
  const read = await findItems(em, ticketId, [...changed]);
  const same = items.filter(({ citation }) => !changed.has(citation));
  return [...same, ...read.filter(({ superseded }) => superseded === undefined)].sort((a, b) => numberOf(a) - numberOf(b));
}
