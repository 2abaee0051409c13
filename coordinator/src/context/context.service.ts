import { type ContextItem, CoordinatorError, type NewContextItem } from '@baton/protocol';
import { v7 as uuidv7 } from 'uuid';
import type { Origin } from '../artifact/artifact.service.ts';
import type { Tx } from '../db/transaction.ts';
import { findSameItems, getItem, getSaidItem, type IdentifiedItem, insertItems, type ItemOf, updateItems } from './context.store.ts';
import { gateTopic } from './mechanical-facts.ts';
import { bringsMore, joinRepeated, repeatItem } from './merge-items.ts';
import { findHoldingSuccessor, pinStatement, supersedeStatement, supersedeTopics, type Topic } from './standing.store.ts';

/** Who records what nobody said. */
export const recorder = 'coordinator';

/**
 * Leaves items for later phases, in the order given. What a visit holds already is kept once, with all that its repetitions bring, and
 * the newest about a topic takes the place of what was recorded about it before. The callers hold the visits' rows.
 */
export async function noteItems(tx: Tx, given: readonly ItemOf[]): Promise<void> {
  if (given.length === 0) return;
  const items = joinRepeated(given).map((each) => ({ ...each, id: uuidv7() }));
  const inserted = await insertItems(tx.em, tx.projectId, items);
  const isNew = new Set(inserted.map(({ id }) => id));
  const changed = await addToKept(
    tx,
    items.filter((each) => !isNew.has(each.id) && bringsMore(each)),
  );
  const recorded = new Map<string, { ticketId: string; phase: string; citations: string[] }>();
  for (const { id, citation, ticketId, phase, kind, text, author, source, superseded } of [...inserted, ...changed]) {
    if (source === 'said') tx.record('context.noted', { itemId: id, citation, ticketId, phase, kind, text, author });
    else {
      const ofTicket = recorded.get(ticketId) ?? { ticketId, phase, citations: [] };
      ofTicket.citations.push(citation);
      recorded.set(ticketId, ofTicket);
    }
    if (superseded === undefined) continue;
    const { by, reason } = superseded;
    tx.record('context.superseded', { ticketId, phase, citations: [citation], ...(by !== undefined && { by }), reason, author: recorder });
  }
  for (const ofTicket of recorded.values()) tx.record('context.recorded', ofTicket);
  await replaceTopics(tx, topicsOf(given));
}

/** Gives what was there already what its repetitions bring. Returns what has changed by it. */
async function addToKept(tx: Tx, repeated: readonly IdentifiedItem[]): Promise<ContextItem[]> {
  if (repeated.length === 0) return [];
  const kept = await findSameItems(tx.em, repeated);
  const merged = repeated.flatMap((each) => {
    const older = kept.get(each.id);
    return older === undefined ? [] : [{ ...repeatItem(older, each), id: older.id }];
  });
  return updateItems(tx.em, merged);
}

/** What was recorded about topics: of a gate all that it found together, of anything else the last. What is said stands for itself. */
function topicsOf(items: readonly ItemOf[]): Topic[] {
  const about = items.flatMap(({ origin, item, topic, source = 'said' }) =>
    topic === undefined || source === 'said' ? [] : [{ origin, topic, text: item.text }],
  );
  const groups = Map.groupBy(about, ({ origin, topic }) => JSON.stringify([origin.ticketId, origin.phase, topic]));
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    if (first === undefined) return [];
    const { origin, topic } = first;
    const texts = group.map(({ text }) => text);
    return [{ ticketId: origin.ticketId, phase: origin.phase, topic, texts: topic === gateTopic ? texts : texts.slice(-1) }];
  });
}

/** Gives up what is there about topics and is not among what holds now. */
export async function replaceTopics(tx: Tx, topics: readonly Topic[], reason = 'A newer one was recorded.'): Promise<void> {
  const givenUp = await supersedeTopics(tx.em, topics, reason);
  for (const group of Map.groupBy(givenUp, ({ ticketId, phase, by }) => JSON.stringify([ticketId, phase, by])).values()) {
    const [first] = group;
    if (first === undefined) continue;
    const { ticketId, phase, by } = first;
    const citations = group.map(({ citation }) => citation);
    tx.record('context.superseded', { ticketId, phase, citations, ...(by !== undefined && { by }), reason, author: recorder });
    if (by !== undefined && group.some(({ handsPinOn }) => handsPinOn))
      await pinItem(tx, { ticketId, phase, author: recorder }, { citation: by, pinned: true });
  }
}

export async function noteItem(tx: Tx, origin: Origin, item: NewContextItem): Promise<ContextItem> {
  await noteItems(tx, [{ origin, item }]);
  return getSaidItem(tx.em, origin.visitId, item);
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
  const replacement = typeof by === 'string' ? await getHoldingItem(tx, ticketId, by) : await noteItem(tx, origin, by);
  if (replacement.kind === old.kind && replacement.text === old.text)
    throw new CoordinatorError('invalid_params', {
      fields: [{ path: 'by', message: `It says the same as ${citation}, which cannot take its own place. Give what holds instead.` }],
    });
  const { citations, wasPinned } = await supersedeStatement(tx.em, old, { by: replacement.id, reason });
  tx.record('context.superseded', { ticketId, phase, citations, by: replacement.citation, reason, author });
  return {
    superseded: await getItem(tx.em, ticketId, citation),
    // A pin is on what it is about: a constraint that was changed must not be forgotten either.
    by: wasPinned ? await pinItem(tx, origin, { citation: replacement.citation, pinned: true }) : replacement,
  };
}

/** Pins an item or lets it go. The caller holds the ticket and the visit it is in. */
export async function pinItem(
  tx: Tx,
  { ticketId, phase, author }: Pick<Origin, 'ticketId' | 'phase' | 'author'>,
  { citation, pinned }: { readonly citation: string; readonly pinned: boolean },
): Promise<ContextItem> {
  const item = await getHoldingItem(tx, ticketId, citation);
  const citations = await pinStatement(tx.em, item, pinned);
  if (citations.length > 0) tx.record('context.pinned', { ticketId, phase, citations, pinned, author });
  return { ...item, pinned };
}

async function getHoldingItem({ em }: Tx, ticketId: string, citation: string): Promise<ContextItem> {
  const item = await getItem(em, ticketId, citation);
  if (item.superseded === undefined) return item;
  const by = await findHoldingSuccessor(em, ticketId, citation);
  throw new CoordinatorError('context_item_superseded', {
    citation,
    message: `${citation} was superseded${by === undefined ? '' : `, and ${by} holds in its place`}: ${item.superseded.reason}`,
    ...(by !== undefined && { by }),
  });
}
