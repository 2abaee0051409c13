import type { GrantedLock, LockRequest } from '@baton/protocol';
import { v7 as uuidv7 } from 'uuid';
import type { Tx } from '../db/transaction.ts';
import { decide, type Decision, type Grant, type Holder, type LockTable, type Want } from './lock-rules.ts';
import {
  deleteGrants,
  deleteRequests,
  findGrants,
  type GrantFilter,
  insertRequest,
  listWaitingRequests,
  lockTable,
  markRequestGranted,
  wakeTasks,
  writeGrants,
} from './lock.store.ts';

export type GrantOutcome =
  | { readonly granted: readonly GrantedLock[] }
  | { readonly blockedBy: string; readonly holders: readonly Grant[] };

/** Decides wants in the order given, all keys of a want or none, and writes what was granted. */
export async function grantLocks(tx: Tx, wants: readonly Want[]): Promise<GrantOutcome[]> {
  const table = await openTable(
    tx,
    wants.flatMap((want) => want.keys.map(({ key }) => key)),
  );
  return decideAndWrite(tx, table, wants);
}

/** Locks the rows of the keys until the transaction ends and reads who holds them and who waits. */
export async function openTable(tx: Tx, keys: readonly string[]): Promise<LockTable> {
  if (keys.length === 0) return { fences: new Map(), grants: [], waits: [] };
  const table = await lockTable(tx.em, tx.projectId, keys);
  for (const { key, fence, agentId, agentName, taskId } of table.expired) {
    tx.record('lock.expired', { key, fence, agentId, agentName, ...(taskId !== undefined && { taskId }) });
  }
  return table;
}

async function decideAndWrite(tx: Tx, table: LockTable, wants: readonly Want[]): Promise<GrantOutcome[]> {
  const decisions = wants.map((want) => ({ want, decision: decideWant(table, want) }));
  await writeDecisions(tx, decisions);
  return decisions.map(({ decision }) => toOutcome(table, decision));
}

export const decideWant = (table: LockTable, want: Want): Decision => decide(table, want, uuidv7);

/** Writes what was granted; decisions that granted nothing are passed over. */
export async function writeDecisions(tx: Tx, decisions: readonly { readonly want: Want; readonly decision: Decision }[]): Promise<void> {
  const grants = decisions.flatMap(({ want, decision }) => ('granted' in decision ? [{ ...decision, ttlMs: want.ttlMs }] : []));
  await writeGrants(tx.em, tx.projectId, {
    made: grants.flatMap(({ made, ttlMs }) => made.map((grant) => ({ ...grant, ttlMs }))),
    extended: grants.flatMap(({ extended, ttlMs }) => extended.map(({ id }) => ({ id, ttlMs }))),
    replaced: grants.flatMap(({ replaced }) => replaced),
  });
}

const toOutcome = (table: LockTable, decision: Decision): GrantOutcome =>
  'granted' in decision
    ? { granted: decision.granted }
    : { blockedBy: decision.blockedBy, holders: table.grants.filter(({ key }) => key === decision.blockedBy) };

/** Releases what the filter names, and hands it to whoever waits in the same transaction. Returns how many were released. */
export async function releaseLocks(tx: Tx, filter: Omit<GrantFilter, 'projectId'>): Promise<number> {
  const found = await findGrants(tx.em, { ...filter, projectId: tx.projectId });
  if (found.length === 0) return 0;
  const keys = found.map(({ key }) => key);
  await handOver(tx, keys, () =>
    deleteGrants(
      tx.em,
      found.map(({ id }) => id),
    ),
  );
  return found.length;
}

/**
 * Locks the keys and those of the requests that wait for them, makes `change`, and grants what has become possible in the
 * order of arrival. A request that names a key outside of what was locked arrived meanwhile: it stands behind these row
 * locks and will see the change by itself.
 */
export async function handOver(tx: Tx, keys: readonly string[], change: () => Promise<unknown>): Promise<void> {
  const before = await listWaitingRequests(tx.em, tx.projectId, keys);
  const locked = new Set([...keys, ...before.flatMap((request) => request.keys.map(({ key }) => key))]);
  await openTable(tx, [...locked]);
  await change();

  const table = await openTable(tx, [...locked]);
  const waiting = await listWaitingRequests(tx.em, tx.projectId, keys);
  for (const request of waiting.filter((request) => request.keys.every(({ key }) => locked.has(key)))) {
    const [outcome] = await decideAndWrite(tx, table, [
      { holder: request, keys: request.keys, ttlMs: request.ttlMs, requestId: request.id },
    ]);
    if (outcome === undefined || !('granted' in outcome)) continue;
    await markRequestGranted(tx.em, request.id, outcome.granted);
    tx.hints.locks = true;
  }
  if ((await wakeTasks(tx.em, tx.projectId, keys)) > 0) tx.hints.tasks = true;
}

/** Puts a request at the end of the queue of its keys. The caller holds their row locks. */
export async function enqueueRequest(
  tx: Tx,
  request: { readonly holder: Holder; readonly keys: readonly LockRequest[]; readonly ttlMs: number; readonly waitMs: number },
): Promise<string> {
  const { holder, ...rest } = request;
  const id = uuidv7();
  await insertRequest(tx.em, tx.projectId, { ...holder, ...rest, id });
  return id;
}

/** Takes requests out of the queue; those behind them may now be served. */
export async function withdrawRequests(tx: Tx, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  const keys = await deleteRequests(tx.em, ids);
  if (keys.length > 0) await handOver(tx, keys, () => Promise.resolve());
}
