import type { GrantedLock, LockRequest } from '@baton/protocol';
import { v7 as uuidv7 } from 'uuid';
import type { Tx } from '../db/transaction.ts';
import { decide, type Decision, type Grant, type Holder, type LockTable, type Want } from './lock-rules.ts';
import {
  deleteRequests,
  findRequests,
  holdWaitingSessions,
  insertRequest,
  listWaitingRequests,
  markRequestGranted,
} from './lock-request.store.ts';
import { deleteGrants, findGrants, type LockFilter, lockTable, wakeTasks, writeGrants } from './lock.store.ts';

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
  // Whoever came along removed it; who waits for the key is served by the sweeper, at once.
  if (table.expired.length > 0) tx.hints.locksDue = true;
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

/** What ends together: grants to be released, requests to be withdrawn, and all their keys. */
interface Ending {
  readonly grants: readonly { readonly id: string; readonly key: string }[];
  readonly requests: readonly { readonly id: string; readonly keys: readonly string[] }[];
}

/** Releases the grants that the filter names, and hands them to whoever waits in the same transaction. Returns how many. */
export async function releaseLocks(tx: Tx, filter: Omit<LockFilter, 'projectId'>): Promise<number> {
  const grants = await findGrants(tx.em, { ...filter, projectId: tx.projectId });
  await endLocks(tx, { grants, requests: [] });
  return grants.length;
}

/** Releases all that sessions or attempts hold and withdraws all that they wait for, in one pass over the keys. */
export async function forgetHolders(tx: Tx, filter: Pick<LockFilter, 'sessionIds' | 'attempts'>): Promise<void> {
  const of = { ...filter, projectId: tx.projectId };
  await endLocks(tx, { grants: await findGrants(tx.em, of), requests: await findRequests(tx.em, of) });
}

/** Takes requests out of their queues; those behind them may now be served. */
export const withdrawRequests = (tx: Tx, requests: Ending['requests']): Promise<void> => endLocks(tx, { grants: [], requests });

async function endLocks(tx: Tx, { grants, requests }: Ending): Promise<void> {
  if (grants.length === 0 && requests.length === 0) return;
  const keys = [...grants.map(({ key }) => key), ...requests.flatMap((request) => request.keys)];
  await handOver(tx, keys, async () => {
    await deleteGrants(
      tx.em,
      grants.map(({ id }) => id),
    );
    await deleteRequests(
      tx.em,
      requests.map(({ id }) => id),
    );
  });
  for (const { id } of requests) tx.hints.requestIds.add(id);
}

/**
 * Locks the keys and those of the requests that wait for them, makes `change`, and grants what has become possible in the
 * order of arrival. A request is passed over, and keeps its place, where it arrived while the rows were being locked or where
 * its session is about to end; the lock sweeper looks at it as soon as this transaction has committed.
 */
export async function handOver(tx: Tx, keys: readonly string[], change: () => Promise<void>): Promise<void> {
  const before = await listWaitingRequests(tx.em, tx.projectId, keys);
  const living = await holdWaitingSessions(
    tx.em,
    before.map(({ sessionId }) => sessionId),
  );
  const locked = new Set([...keys, ...before.flatMap((request) => request.keys.map(({ key }) => key))]);
  await openTable(tx, [...locked]);
  await change();

  const table = await openTable(tx, [...locked]);
  for (const request of await listWaitingRequests(tx.em, tx.projectId, keys)) {
    if (!living.has(request.sessionId) || !request.keys.every(({ key }) => locked.has(key))) {
      tx.hints.locksDue = true;
      continue;
    }
    const want = { holder: request, keys: request.keys, ttlMs: request.ttlMs, requestId: request.id };
    const [outcome] = await decideAndWrite(tx, table, [want]);
    if (outcome === undefined || !('granted' in outcome)) continue;
    await markRequestGranted(tx.em, request.id, outcome.granted);
    tx.hints.requestIds.add(request.id);
  }
  if ((await wakeTasks(tx.em, tx.projectId, keys)) > 0) tx.hints.tasks = true;
}

/** Puts a request at the end of the queues of its keys. The caller holds their row locks. */
export async function enqueueRequest(
  tx: Tx,
  request: { readonly holder: Holder; readonly keys: readonly LockRequest[]; readonly ttlMs: number; readonly waitMs: number },
): Promise<string> {
  const { holder, ...rest } = request;
  const id = uuidv7();
  await insertRequest(tx.em, tx.projectId, { ...holder, ...rest, id });
  return id;
}
