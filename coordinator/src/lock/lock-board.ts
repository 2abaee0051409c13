import type { Tx } from '../db/transaction.ts';
import { type Decision, type Grant, type Granted, type LockTable, spanOf, type Want } from './lock-rules.ts';
import {
  addDueKeys,
  deleteRequests,
  holdWaitingSessions,
  insertRequests,
  listWaitingRequests,
  markRequestsGranted,
  type NewRequest,
  type WaitingRequest,
} from './lock-request.store.ts';
import { type Decided, decideWant, openTable, writeDecisions } from './lock-table.service.ts';
import { deleteGrants, renewGrants } from './lock.store.ts';
import { wakeTasks } from './waiting-tasks.store.ts';

/** What a transaction decides about the keys it has locked: in memory, one after the other, and written at the end. */
export interface LockBoard {
  readonly table: LockTable;
  decide(want: Want): Decision;
  /** Puts a want at the end of the queue. */
  enqueue(request: NewRequest): void;
  renew(grant: Grant, ttlMs: number): void;
  /** Ends grants; what they held is free for the next. */
  end(grants: readonly Grant[]): void;
  /** Takes requests out of the queue. */
  withdraw(requests: readonly { readonly id: string; readonly keys: readonly string[] }[]): void;
  /** Looks again at the tasks that wait for these keys, whoever has freed them. */
  free(keys: readonly string[]): void;
  /** Grants what has become possible, in the order of arrival. */
  serve(): void;
  write(): Promise<void>;
}

/**
 * Locks keys, and those of the requests that wait for what is going to be freed. A request is passed over, and keeps its
 * place, where it arrived while the keys were being locked or where its session is about to end; the lock sweeper looks at it
 * as soon as this transaction has committed.
 */
export async function openBoard(
  tx: Tx,
  { keys, freeing }: { readonly keys: readonly string[]; readonly freeing: readonly string[] },
): Promise<LockBoard> {
  const before = freeing.length === 0 ? [] : (await listWaitingRequests(tx.em, tx.projectId, freeing)).requests;
  const living =
    before.length === 0
      ? new Set<string>()
      : await holdWaitingSessions(
          tx.em,
          before.map(({ sessionId }) => sessionId),
        );
  const locked = new Set([...keys, ...freeing, ...before.flatMap((request) => request.keys.map(({ key }) => key))]);
  const table = await openTable(tx, [...locked], freeing);
  const queue = freeing.length === 0 || table.waits.length === 0 ? [] : await readQueue(tx, { freeing, living, locked });
  return createBoard(tx, table, queue);
}

async function readQueue(
  tx: Tx,
  {
    freeing,
    living,
    locked,
  }: { readonly freeing: readonly string[]; readonly living: ReadonlySet<string>; readonly locked: ReadonlySet<string> },
): Promise<WaitingRequest[]> {
  const { requests, areAll } = await listWaitingRequests(tx.em, tx.projectId, freeing);
  const served = requests.filter(({ sessionId, keys }) => living.has(sessionId) && keys.every(({ key }) => locked.has(key)));
  if (!areAll || served.length < requests.length) {
    await addDueKeys(tx.em, tx.projectId, freeing);
    tx.hints.locksDue = true;
  }
  return served;
}

function createBoard(tx: Tx, table: LockTable, waiting: readonly WaitingRequest[]): LockBoard {
  let queue = [...waiting];
  const decided: Decided[] = [];
  const enqueued: NewRequest[] = [];
  const renewed: { id: string; ttlMs: number }[] = [];
  const ended: string[] = [];
  const withdrawn: string[] = [];
  const answered: { readonly id: string; readonly decision: Granted }[] = [];
  const freed = new Set<string>();

  const leaveQueue = (requestId: string) => {
    queue = queue.filter(({ id }) => id !== requestId);
    for (const wait of table.waits.filter((wait) => wait.requestId === requestId)) table.waits.splice(table.waits.indexOf(wait), 1);
  };
  const decideNext = (want: Want): Decision => {
    const decision = decideWant(table, want);
    if ('granted' in decision) decided.push({ want, decision });
    return decision;
  };

  return {
    table,
    decide: decideNext,
    enqueue(request) {
      enqueued.push(request);
      queue.push(request);
      table.waits.push(...request.keys.map(({ key, mode, places = 1 }) => ({ key, mode, places, requestId: request.id })));
    },
    renew: ({ id }, ttlMs) => void renewed.push({ id, ttlMs }),
    end(grants) {
      for (const grant of grants) {
        table.grants.splice(table.grants.indexOf(grant), 1);
        ended.push(grant.id);
        freed.add(grant.key);
      }
    },
    withdraw(requests) {
      for (const { id, keys } of requests) {
        leaveQueue(id);
        for (const key of keys) freed.add(key);
        withdrawn.push(id);
        tx.hints.requestIds.add(id);
      }
    },
    free(keys) {
      for (const key of keys) freed.add(key);
    },
    serve() {
      for (const request of queue) {
        const decision = decideNext({ holder: request, keys: request.keys, ttlMs: request.ttlMs, requestId: request.id });
        if (!('granted' in decision)) continue;
        leaveQueue(request.id);
        // Tasks that stood behind it in the queue of a range may find another member free.
        for (const { key } of request.keys) if (spanOf(table, key).range !== undefined) freed.add(key);
        answered.push({ id: request.id, decision });
        tx.hints.requestIds.add(request.id);
      }
    },
    async write() {
      await insertRequests(tx.em, tx.projectId, enqueued);
      const made = new Set(decided.flatMap(({ decision }) => ('made' in decision ? decision.made.map(({ id }) => id) : [])));
      // First what is there, so that at no moment two have what only one may have; then what came and went with these calls.
      await deleteGrants(
        tx.em,
        ended.filter((id) => !made.has(id)),
      );
      await writeDecisions(tx, decided);
      await deleteGrants(
        tx.em,
        ended.filter((id) => made.has(id)),
      );
      await renewGrants(tx.em, renewed);
      await markRequestsGranted(
        tx.em,
        answered.map(({ id, decision }) => ({ id, granted: decision.granted })),
      );
      await deleteRequests(tx.em, withdrawn);
      if (freed.size > 0 && (await wakeTasks(tx.em, tx.projectId, [...freed])) > 0) tx.hints.tasks = true;
    },
  };
}
