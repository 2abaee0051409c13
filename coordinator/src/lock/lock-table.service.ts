import { v7 as uuidv7 } from 'uuid';
import type { Tx } from '../db/transaction.ts';
import { lockKeys } from './lock-gate.store.ts';
import { decide, type Decision } from './lock-rules.ts';
import { createTable, type LockTable, type Want } from './lock-table.ts';
import { addDueKeys } from './lock-due.store.ts';
import { keepTakenLocks, readLockedTable, writeGrants } from './lock.store.ts';

/** A decision, with the want it is about. */
export interface Decided {
  readonly want: Want;
  readonly decision: Decision;
}

/**
 * Locks keys until the transaction ends and reads who holds them, or what meets them, and who waits. What has expired is
 * removed; its keys are left for the lock sweeper unless this transaction frees them anyway.
 */
export async function openTable(tx: Tx, keys: readonly string[], freeing: readonly string[] = []): Promise<LockTable> {
  if (keys.length === 0) return createTable();
  const sorted = [...new Set(keys)].sort();
  const places = await lockKeys(tx.em, tx.projectId, sorted);
  const { table, expired } = await readLockedTable(tx.em, tx.projectId, { keys: sorted, places });
  for (const { key, fence, agentId, agentName, taskId } of expired) {
    tx.record('lock.expired', { key, fence, agentId, agentName, ...(taskId !== undefined && { taskId }) });
  }
  // Whoever came along removed it; who waits for the key is served by the sweeper, at once.
  if (expired.length > 0) tx.hints.locksDue = true;
  const left = [...new Set(expired.map(({ key }) => key))].filter((key) => !freeing.includes(key));
  await addDueKeys(tx.em, tx.projectId, left);
  return table;
}

export const decideWant = (table: LockTable, want: Want): Decision => decide(table, want, uuidv7);

/** Writes what was granted, and enters the fences into the decisions. Those that granted nothing are passed over. */
export async function writeDecisions(tx: Tx, decisions: readonly Decided[]): Promise<void> {
  const grants = decisions.flatMap(({ decision }) => ('granted' in decision ? [decision] : []));
  const fences = await writeGrants(tx.em, tx.projectId, {
    made: grants.flatMap(({ made }) => made),
    extended: [...new Set(grants.flatMap(({ extended }) => extended))],
    replaced: grants.flatMap(({ replaced }) => replaced),
  });
  for (const { made } of grants) for (const grant of made) grant.fence = fences.get(grant.id) ?? 0;
  await keepTakenLocks(
    tx.em,
    decisions.flatMap(({ want, decision }) => ('granted' in decision && want.ttlMs !== null ? decision.made : [])),
  );
  // What was given to somebody who has it already is answered with the fence that it has.
  for (const { granted, made, extended } of grants) {
    const held = new Map([...made, ...extended].map((grant) => [grant.key, grant.fence]));
    for (const lock of granted) lock.fence = held.get(lock.key) ?? lock.fence;
  }
}
