import type { ContextItem, NewContextItem } from '@baton/protocol';
import type { Origin } from '../artifact/artifact.service.ts';
import type { Tx } from '../db/transaction.ts';
import { findItems, findSameItem, insertItems, type ItemOf, toContextItem } from './context.store.ts';

/** Leaves items for later phases, in the order given. What a visit holds already is kept once. The callers hold the visits' rows. */
export async function noteItems(tx: Tx, items: readonly ItemOf[]): Promise<void> {
  if (items.length === 0) return;
  const ids = await insertItems(tx.em, tx.projectId, items);
  for (const row of await findItems(tx.em, ids)) {
    const { id, citation, ticketId, phase, kind, text, author } = toContextItem(row);
    tx.record('context.noted', { itemId: id, citation, ticketId, phase, kind, text, author });
  }
}

export async function noteItem(tx: Tx, origin: Origin, item: NewContextItem): Promise<ContextItem> {
  await noteItems(tx, [{ origin, item }]);
  return toContextItem(await findSameItem(tx.em, origin.visitId, item));
}
