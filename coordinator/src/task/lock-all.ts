import type { Tx } from '../db/transaction.ts';
import { type LockedTask, lockTasks } from './task.store.ts';

/**
 * Locks all tasks that a search finds: in the order of their ids, as every transaction does, so that none waits for another in
 * a circle. What has come to be found meanwhile is locked as well: it is newer, and its id is higher. Returns those that are
 * found once all are locked: what has changed while a lock was waited for may be what nobody looks for.
 */
export async function lockAll(tx: Tx, find: () => Promise<readonly string[]>): Promise<Map<string, LockedTask>> {
  const locked = new Map<string, LockedTask>();
  const asked = new Set<string>();
  for (;;) {
    const found = await find();
    const missing = found.filter((id) => !asked.has(id));
    if (missing.length === 0) return new Map(found.flatMap((id) => locked.get(id) ?? []).map((task) => [task.id, task]));
    for (const id of missing) asked.add(id);
    for (const task of await lockTasks(tx, missing)) locked.set(task.id, task);
  }
}
