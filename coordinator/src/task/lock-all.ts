import type { Tx } from '../db/transaction.ts';
import { type LockedTask, lockTasks } from './task.store.ts';

/**
 * Locks all tasks that a search finds: in the order of their ids, as every transaction does, so that none waits for another in
 * a circle. What has come to be found meanwhile is locked as well: it is newer, and its id is higher.
 */
export async function lockAll(tx: Tx, find: () => Promise<readonly string[]>): Promise<Map<string, LockedTask>> {
  const locked = new Map<string, LockedTask>();
  const asked = new Set<string>();
  for (;;) {
    const missing = (await find()).filter((id) => !asked.has(id));
    if (missing.length === 0) return locked;
    for (const id of missing) asked.add(id);
    for (const task of await lockTasks(tx, missing)) locked.set(task.id, task);
  }
}
