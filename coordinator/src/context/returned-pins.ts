import type { EntityManager } from '../db/orm.ts';
import type { ItemOf } from './context.store.ts';
import { factOfUnpinned } from './mechanical-facts.ts';
import { openPinRoom } from './pin-room.ts';

/**
 * What attempts bring, in the order given, each with its pin as long as there is room for it. That others are kept without theirs is
 * recorded: a result is not lost over a pin.
 */
export async function keepPinsThatFit(em: EntityManager, items: readonly ItemOf[]): Promise<readonly ItemOf[]> {
  const pinned = items.filter(({ item }) => item.pinned);
  if (pinned.length === 0) return items;
  const room = await openPinRoom(
    em,
    pinned.map(({ origin }) => origin.ticketId),
  );
  const refused = new Set(pinned.filter(({ origin, item, source = 'said' }) => !room.take({ ...origin, ...item, source })));
  const kept = items.map((each) => (refused.has(each) ? { ...each, item: { ...each.item, pinned: false } } : each));
  const facts = [...Map.groupBy(refused, ({ origin }) => `${origin.taskId} ${origin.attempt}`).values()].flatMap((ofAttempt) => {
    const [first] = ofAttempt;
    const texts = ofAttempt.map(({ item }) => item.text);
    return first === undefined ? [] : [factOfUnpinned(first.origin, texts)];
  });
  return [...kept, ...facts];
}
