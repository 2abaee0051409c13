import type { Tx } from '../db/transaction.ts';
import type { Decision, Granted } from './lock-rules.ts';
import { addWaits, type Grant, type LockTable, removeGrant, removeWaits, spanOf, type Want } from './lock-table.ts';
import { addDueKeys } from './lock-due.store.ts';
import {
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
  /** What was put there. */
  enqueued(): readonly NewRequest[];
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
  const queue = freeing.length === 0 || table.waits.length === 0 ? noQueue : await readQueue(tx, { freeing, living, locked });
  return createBoard(tx, table, { ...queue, freeing });
}

interface Queue {
  readonly requests: readonly WaitingRequest[];
  /** There are more behind them. */
  readonly isCut: boolean;
}

const noQueue: Queue = { requests: [], isCut: false };

async function readQueue(
  tx: Tx,
  {
    freeing,
    living,
    locked,
  }: { readonly freeing: readonly string[]; readonly living: ReadonlySet<string>; readonly locked: ReadonlySet<string> },
): Promise<Queue> {
  const { requests, areAll } = await listWaitingRequests(tx.em, tx.projectId, freeing);
  const served = requests.filter(({ sessionId, keys }) => living.has(sessionId) && keys.every(({ key }) => locked.has(key)));
  if (served.length < requests.length) await lookAgain(tx, freeing);
  return { requests: served, isCut: !areAll };
}

/** Leaves keys for the lock sweeper, which looks at them as soon as this transaction has committed. */
export async function lookAgain(tx: Tx, keys: readonly string[]): Promise<void> {
  await addDueKeys(tx.em, tx.projectId, keys);
  tx.hints.locksDue = true;
}

function createBoard(tx: Tx, table: LockTable, { requests, isCut, freeing }: Queue & { readonly freeing: readonly string[] }): LockBoard {
  let queue = [...requests];
  const decided: Decided[] = [];
  const enqueued: NewRequest[] = [];
  const renewed = new Set<Grant>();
  const ended: string[] = [];
  const withdrawn: string[] = [];
  const answered: { readonly id: string; readonly decision: Granted }[] = [];
  const freed = new Set<string>();

  const leaveQueue = (requestId: string) => {
    queue = queue.filter(({ id }) => id !== requestId);
    removeWaits(table, requestId);
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
      addWaits(
        table,
        request.keys.map(({ key, mode, places = 1 }) => ({ key, mode, places, requestId: request.id })),
      );
    },
    renew(grant, ttlMs) {
      if (grant.expiresInMs !== null) grant.expiresInMs = ttlMs;
      grant.requestId = undefined;
      renewed.add(grant);
    },
    end(grants) {
      for (const grant of grants) {
        removeGrant(table, grant);
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
    enqueued: () => enqueued,
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
      await renewGrants(tx.em, [...renewed]);
      await markRequestsGranted(
        tx.em,
        answered.map(({ id, decision }) => ({ id, granted: decision.granted })),
      );
      await deleteRequests(tx.em, withdrawn);
      // Where none of the first is served there is nothing for those behind them; where one is, the next may be.
      if (isCut && answered.length + withdrawn.length > 0) await lookAgain(tx, freeing);
      if (freed.size > 0 && (await wakeTasks(tx.em, tx.projectId, [...freed])) > 0) tx.hints.tasks = true;
    },
  };
}
