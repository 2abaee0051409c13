import { type ContextItem, CoordinatorError, type NewContextItem } from '@baton/protocol';
import type { Origin } from '../artifact/artifact.service.ts';
import type { Tx } from '../db/transaction.ts';
import {
  findSameItem,
  getItem,
  insertItems,
  type ItemOf,
  pinStatement,
  supersedeStatement,
  supersedeTopics,
  type Topic,
} from './context.store.ts';

/** Who records what nobody said. */
export const recorder = 'coordinator';

/**
 * Leaves items for later phases, in the order given. What a visit holds already is kept once, and the newest about a topic takes
 * the place of what was recorded about it before. The callers hold the visits' rows.
 */
export async function noteItems(tx: Tx, items: readonly ItemOf[]): Promise<void> {
  if (items.length === 0) return;
  const noted = await insertItems(tx.em, tx.projectId, items);
  const recorded = new Map<string, { ticketId: string; phase: string; citations: string[] }>();
  for (const { id, citation, ticketId, phase, kind, text, author, source } of noted) {
    if (source === 'said') tx.record('context.noted', { itemId: id, citation, ticketId, phase, kind, text, author });
    else {
      const ofTicket = recorded.get(ticketId) ?? { ticketId, phase, citations: [] };
      ofTicket.citations.push(citation);
      recorded.set(ticketId, ofTicket);
    }
  }
  for (const ofTicket of recorded.values()) tx.record('context.recorded', ofTicket);
  await replaceTopics(tx, topicsOf(items));
}

function topicsOf(items: readonly ItemOf[]): Topic[] {
  const about = items.flatMap(({ origin, item, topic }) => (topic === undefined ? [] : [{ origin, topic, text: item.text }]));
  const groups = Map.groupBy(about, ({ origin, topic }) => JSON.stringify([origin.ticketId, origin.phase, topic]));
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    if (first === undefined) return [];
    const { origin, topic } = first;
    return [{ ticketId: origin.ticketId, phase: origin.phase, topic, texts: group.map(({ text }) => text) }];
  });
}

/** Gives up what was recorded about topics and is not among what holds now. */
export async function replaceTopics(tx: Tx, topics: readonly Topic[]): Promise<void> {
  const reason = 'A newer one was recorded.';
  const givenUp = await supersedeTopics(tx.em, topics, reason);
  for (const group of Map.groupBy(givenUp, ({ ticketId, phase, by }) => JSON.stringify([ticketId, phase, by])).values()) {
    const [first] = group;
    if (first === undefined) continue;
    const { ticketId, phase, by } = first;
    const citations = group.map(({ citation }) => citation);
    tx.record('context.superseded', { ticketId, phase, citations, ...(by !== undefined && { by }), reason, author: recorder });
  }
}

export async function noteItem(tx: Tx, origin: Origin, item: NewContextItem): Promise<ContextItem> {
  await noteItems(tx, [{ origin, item }]);
  return findSameItem(tx.em, origin.visitId, item);
}

export interface Supersession {
  readonly citation: string;
  readonly by: string | NewContextItem;
  readonly reason: string;
}

/** Puts an item in the place of another. The caller holds the ticket and the visit it is in. */
export async function supersedeItem(
  tx: Tx,
  origin: Origin,
  { citation, by, reason }: Supersession,
): Promise<{ superseded: ContextItem; by: ContextItem }> {
  const { ticketId, phase, author } = origin;
  const old = await getHoldingItem(tx, ticketId, citation);
  const isSame = typeof by !== 'string' && by.kind === old.kind && by.text === old.text;
  if (by === citation || isSame)
    throw new CoordinatorError('invalid_params', {
      fields: [{ path: 'by', message: 'An item cannot take its own place.' }],
    });
  const replacement = typeof by === 'string' ? await getHoldingItem(tx, ticketId, by) : await noteItem(tx, origin, by);
  const citations = await supersedeStatement(tx.em, old, { by: replacement.id, reason });
  tx.record('context.superseded', { ticketId, phase, citations, by: replacement.citation, reason, author });
  return { superseded: await getItem(tx.em, ticketId, citation), by: replacement };
}

/** Pins an item or lets it go. The caller holds the ticket and the visit it is in. */
export async function pinItem(
  tx: Tx,
  { ticketId, phase, author }: Origin,
  { citation, pinned }: { readonly citation: string; readonly pinned: boolean },
): Promise<ContextItem> {
  const item = await getHoldingItem(tx, ticketId, citation);
  const citations = await pinStatement(tx.em, item, pinned);
  if (citations.length > 0) tx.record('context.pinned', { ticketId, phase, citations, pinned, author });
  return { ...item, pinned };
}

async function getHoldingItem({ em }: Tx, ticketId: string, citation: string): Promise<ContextItem> {
  const item = await getItem(em, ticketId, citation);
  if (item.superseded !== undefined)
    throw new CoordinatorError('context_item_superseded', {
      citation,
      ...(item.superseded.by !== undefined && { by: item.superseded.by }),
    });
  return item;
}
