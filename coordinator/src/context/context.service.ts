import { type ContextItem, CoordinatorError, type NewContextItem } from '@baton/protocol';
import { v7 as uuidv7 } from 'uuid';
import type { Origin } from '../artifact/artifact.service.ts';
import type { Tx } from '../db/transaction.ts';
import { findSameItems, getItem, getSaidItem, type IdentifiedItem, insertItems, type ItemOf, updateItems } from './context.store.ts';
import { factOfLostPin } from './mechanical-facts.ts';
import { bringsMore, joinRepeated, repeatItem } from './merge-items.ts';
import { openPinRoom, type PinRoom, pinsFull } from './pin-room.ts';
import type { ReturnedItems } from './returned-items.ts';
import { keepPinsThatFit } from './returned-pins.ts';
import { mayOperate, refuseForeign } from './standing-rules.ts';
import {
  findHoldingSuccessor,
  type GivenUp,
  isByOperator,
  listOtherTopics,
  pinStatement,
  supersedeStatement,
  supersedeTopics,
  type Topic,
} from './standing.store.ts';
import { gateTopics } from './topic.ts';

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
  const lost = await replaceTopics(tx, topicsOf(given));
  await noteItems(
    tx,
    lost.flatMap(({ ticketId, citation, text }) => {
      const heir = given.find(({ origin, item }) => origin.ticketId === ticketId && item.text === text);
      return heir === undefined ? [] : [factOfLostPin(heir.origin, citation)];
    }),
  );
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

/** What was recorded about topics: of a gate all that it found about one, of anything else the last. What is said stands for itself. */
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
    return [{ ticketId: origin.ticketId, phase: origin.phase, topic, texts: topic.startsWith(gateTopics) ? texts : texts.slice(-1) }];
  });
}

/**
 * Notes what completions or an artifact leave, in the order given: about each topic the last of them counts, be it that what was
 * told no longer holds. The callers hold the visits' rows.
 */
export async function noteReturned(tx: Tx, returned: readonly ReturnedItems[]): Promise<void> {
  const outdated = new Map<string, Topic>();
  const keyOf = (place: Pick<Topic, 'ticketId' | 'phase'>, topic: string) => JSON.stringify([place.ticketId, place.phase, topic]);
  for (const each of returned) {
    for (const { origin, topic } of each.items) if (topic !== undefined) outdated.delete(keyOf(origin, topic));
    for (const topic of each.outdated) outdated.set(keyOf(topic, topic.topic), topic);
  }
  await noteItems(
    tx,
    await keepPinsThatFit(
      tx.em,
      returned.flatMap(({ items }) => items),
    ),
  );
  await replaceTopics(tx, [...outdated.values()]);
}

/** Notes what a gate has found, in the place of all that it found in the phase before. The caller holds the visit. */
export async function noteFindings(
  tx: Tx,
  { ticketId, phase }: Pick<Origin, 'ticketId' | 'phase'>,
  findings: readonly ItemOf[],
): Promise<void> {
  const topics = findings.flatMap(({ topic }) => topic ?? []);
  const others = await listOtherTopics(tx.em, { ticketId, phase, beginning: gateTopics }, topics);
  await replaceTopics(
    tx,
    others.map((topic) => ({ ticketId, phase, topic, texts: [] })),
    'The gate says it no more.',
  );
  await noteItems(tx, findings);
}

/**
 * Gives up what is there about topics and is not among what holds now. A pin goes over to all that holds about its topic.
 * @returns what a pin should have gone over to and had no room for it
 */
export async function replaceTopics(tx: Tx, topics: readonly Topic[], reason = 'A newer one was recorded.'): Promise<ContextItem[]> {
  const givenUp = await supersedeTopics(tx.em, topics, reason);
  for (const group of Map.groupBy(givenUp, ({ ticketId, phase, by }) => JSON.stringify([ticketId, phase, by])).values()) {
    const [first] = group;
    if (first === undefined) continue;
    const { ticketId, phase, by } = first;
    const citations = group.map(({ citation }) => citation);
    tx.record('context.superseded', { ticketId, phase, citations, ...(by !== undefined && { by }), reason, author: recorder });
  }
  return handPinsOn(
    tx,
    givenUp.filter(({ heirs }) => heirs.length > 0),
  );
}

async function handPinsOn(tx: Tx, pinned: readonly GivenUp[]): Promise<ContextItem[]> {
  if (pinned.length === 0) return [];
  const room = await openPinRoom(
    tx.em,
    pinned.map(({ ticketId }) => ticketId),
  );
  const lost: ContextItem[] = [];
  for (const { ticketId, phase, heirs, byOperator } of pinned)
    for (const citation of heirs) {
      const heir = await getItem(tx.em, ticketId, citation);
      if (room.take(heir)) await setPin(tx, { ticketId, phase, author: recorder }, heir, { pinned: true, byOperator });
      else lost.push(heir);
    }
  return lost;
}

/**
 * Notes what is said. What an attempt brings and was given up since it began is answered as given up.
 * @throws CoordinatorError `limit_exceeded` where it is to be pinned and there is no room
 */
export async function noteItem(tx: Tx, said: ItemOf): Promise<ContextItem> {
  const { origin, item } = said;
  if (item.pinned) await takePin(tx, { ...origin, ...item, source: 'said' }, { what: 'The pin of this item', field: 'item.pinned' });
  await noteItems(tx, [said]);
  return getSaidItem(tx.em, origin, item);
}

export interface Supersession {
  readonly citation: string;
  readonly by: string | NewContextItem;
  readonly reason: string;
}

/**
 * Puts an item in the place of another. The caller holds the ticket and the visit it is in.
 * @throws CoordinatorError `access_denied` where an agent would take back what is not an agent's, `limit_exceeded` where its pin has no room
 */
export async function supersedeItem(
  tx: Tx,
  origin: Origin,
  { citation, by, reason }: Supersession,
): Promise<{ superseded: ContextItem; by: ContextItem }> {
  const { ticketId, phase, author } = origin;
  const old = await getHoldingItem(tx, ticketId, citation);
  refuseForeign(origin, { ...old, isByOperator: await isByOperator(tx.em, old) });
  // Its pin is set once the other's is gone, which makes room.
  const replacement =
    typeof by === 'string' ? await getHoldingItem(tx, ticketId, by) : await noteItem(tx, { origin, item: { ...by, pinned: false } });
  if (replacement.kind === old.kind && replacement.text === old.text && replacement.source === old.source)
    throw new CoordinatorError('invalid_params', {
      fields: [{ path: 'by', message: `It says the same as ${citation}, which cannot take its own place. Give what holds instead.` }],
    });
  const { citations, wasPinned } = await supersedeStatement(tx.em, old, { by: replacement.id, reason });
  tx.record('context.superseded', { ticketId, phase, citations, by: replacement.citation, reason, author });
  // A pin is on what it is about: a constraint that was changed must not be forgotten either.
  const isPinned = wasPinned || (typeof by !== 'string' && by.pinned);
  if (isPinned) {
    await takePin(tx, replacement, { what: `The pin of what takes the place of ${citation}`, field: 'by' });
    await setPin(tx, origin, replacement, { pinned: true, byOperator: mayOperate(origin) });
  }
  return { superseded: await getItem(tx.em, ticketId, citation), by: { ...replacement, pinned: replacement.pinned || isPinned } };
}

/**
 * Pins an item or lets it go. The caller holds the ticket and the visit it is in.
 * @throws CoordinatorError `access_denied` where an agent would let go what is not an agent's, `limit_exceeded` where there is no room
 */
export async function pinItem(
  tx: Tx,
  origin: Origin,
  { citation, pinned }: { readonly citation: string; readonly pinned: boolean },
): Promise<ContextItem> {
  const item = await getHoldingItem(tx, origin.ticketId, citation);
  if (pinned) await takePin(tx, item, { what: `The pin of ${citation}`, field: 'citation' });
  else refuseForeign(origin, { ...item, isByOperator: await isByOperator(tx.em, item) });
  await setPin(tx, origin, item, { pinned, byOperator: mayOperate(origin) });
  return { ...item, pinned };
}

async function takePin(
  tx: Tx,
  statement: Parameters<PinRoom['take']>[0],
  { what, field }: { readonly what: string; readonly field: string },
): Promise<void> {
  const room = await openPinRoom(tx.em, [statement.ticketId]);
  if (!room.take(statement)) throw pinsFull(what, field);
}

async function setPin(
  tx: Tx,
  { ticketId, phase, author }: Pick<Origin, 'ticketId' | 'phase' | 'author'>,
  item: ContextItem,
  pin: { readonly pinned: boolean; readonly byOperator: boolean },
): Promise<void> {
  const citations = await pinStatement(tx.em, item, pin);
  if (citations.length > 0) tx.record('context.pinned', { ticketId, phase, citations, pinned: pin.pinned, author });
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
