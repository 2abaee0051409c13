import { CoordinatorError, type GrantedLock, type LockRequest } from '@baton/protocol';
import { v7 as uuidv7 } from 'uuid';
import type { Tx } from '../db/transaction.ts';
import { holdSessions } from '../task/fence.store.ts';
import { type AttemptHold, holdAttempts } from './hold-attempts.store.ts';
import { openBoard, type LockBoard } from './lock-board.ts';
import { refuseCircles } from './lock-circle.service.ts';
import { toConflict } from './lock-conflict.ts';
import { type Decision, toGranted } from './lock-rules.ts';
import { type Grant, type Holder, placesOf, spanOf } from './lock-table.ts';
import { findHeld } from './lock-holder.store.ts';
import { countWaiting } from './lock-request.store.ts';

export interface Acquisition {
  readonly keys: readonly LockRequest[];
  readonly ttlMs: number;
  readonly waitMs: number;
}

export type LockCall =
  | { readonly kind: 'acquire'; readonly holder: Holder; readonly acquisition: Acquisition }
  | { readonly kind: 'release'; readonly holder: Holder; readonly keys: readonly string[] | undefined }
  | { readonly kind: 'renew'; readonly holder: Holder; readonly keys: readonly string[]; readonly ttlMs: number };

/** A request in the queue, with the holder as it is there: for the attempt that runs. */
export interface Queued {
  readonly requestId: string;
  readonly holder: Holder;
}

export type LockOutcome =
  | { readonly granted: readonly GrantedLock[] }
  | { readonly queued: Queued }
  | { readonly released: number }
  | { readonly refused: CoordinatorError };

export interface QueueLimits {
  /** How many requests may wait for one key, and how many of one session. */
  readonly lockWaitersMax: number;
}

/** Serves calls in the order of their arrival, in one transaction. A call that is refused takes no other with it. */
export async function runLockCalls(tx: Tx, limits: QueueLimits, calls: readonly LockCall[]): Promise<LockOutcome[]> {
  const callers = await holdCallers(tx, calls);
  const held = await findHeld(
    tx.em,
    tx.projectId,
    calls.map((call) => ({ ...call.holder, keys: call.kind === 'acquire' ? [] : call.keys })),
  );
  const board = await openBoard(tx, {
    keys: calls.flatMap((call, place) =>
      call.kind === 'acquire' ? call.acquisition.keys.map(({ key }) => key) : (held[place] ?? []).map(({ key }) => key),
    ),
    freeing: calls.flatMap((call, place) => (call.kind === 'release' ? (held[place] ?? []).map(({ key }) => key) : [])),
  });

  const queue = { ...limits, waiting: await countWaiting(tx.em, calls.flatMap(toWaitingSession)) };
  const known = new Set(board.table.grants.map(({ id }) => id));
  const found = new Set(held.flat().map(({ id }) => id));
  // What others hold by the same session since it was looked up is left alone: its key may not be locked.
  const isAtHand = ({ id }: Grant) => found.has(id) || !known.has(id);
  const finish = calls.map((call, place) => {
    switch (call.kind) {
      case 'acquire':
        return acquire(board, { holder: callers[place] ?? call.holder, acquisition: call.acquisition, queue });
      case 'release':
        return release(board, findOwn(board, call).filter(isAtHand));
      case 'renew':
        return renew(board, findOwn(board, call).filter(isAtHand), call);
    }
  });
  await board.write();
  const circles = await refuseCircles(tx, board.enqueued());
  return finish.map((finished) => {
    const outcome = finished();
    const refused = 'queued' in outcome ? circles.get(outcome.queued.requestId) : undefined;
    return refused === undefined ? outcome : { refused };
  });
}

const toWaitingSession = (call: LockCall): string[] =>
  call.kind === 'acquire' && call.acquisition.waitMs > 0 ? [call.holder.sessionId] : [];

/** Outcomes are read when all is written: the fences are known then. */
type Outcome = () => LockOutcome;

/** The holder of each call, or why it may hold nothing. Sessions and attempts cannot end before this transaction does. */
async function holdCallers(tx: Tx, calls: readonly LockCall[]): Promise<(Holder | CoordinatorError)[]> {
  const acquiring = calls.filter(({ kind }) => kind === 'acquire');
  if (acquiring.length === 0) return calls.map(({ holder }) => holder);
  const living = await holdSessions(
    tx.em,
    acquiring.map(({ holder }) => holder.sessionId),
  );
  const attempts = await holdAttempts(
    tx,
    acquiring.map(({ holder }) => holder),
  );
  return calls.map(({ kind, holder }) => {
    if (kind !== 'acquire') return holder;
    if (!living.has(holder.sessionId)) return new CoordinatorError('session_unknown');
    // A lock taken for a task is held for the attempt that runs, whether the caller names it or not: it ends with it.
    return holder.taskId === undefined ? holder : toAttemptHolder(holder, attempts.get(holder.taskId));
  });
}

function toAttemptHolder(holder: Holder, running: AttemptHold | undefined): Holder | CoordinatorError {
  const { taskId, attempt, sessionId } = holder;
  const isCurrent =
    running?.state === 'running' && running.sessionId === sessionId && (attempt === undefined || running.attempt === attempt);
  if (isCurrent) return { ...holder, attempt: running.attempt };
  return new CoordinatorError('claim_stale', {
    taskId,
    attempt,
    ...(running && { state: running.state, currentAttempt: running.attempt }),
  });
}

interface Queue extends QueueLimits {
  /** How many requests of each session wait. */
  readonly waiting: Map<string, number>;
}

interface HeldAcquisition {
  readonly holder: Holder | CoordinatorError;
  readonly acquisition: Acquisition;
  readonly queue: Queue;
}

function acquire(board: LockBoard, { holder, acquisition: { keys, ttlMs, waitMs }, queue }: HeldAcquisition): Outcome {
  if (holder instanceof CoordinatorError) return () => ({ refused: holder });
  for (const { key, places = 1 } of keys) {
    const total = placesOf(board.table, key);
    if (places > total && places > 1 && spanOf(board.table, key).range === undefined) {
      const message = `The key has ${total} ${total === 1 ? 'place' : 'places'}; lock/define gives it more.`;
      return () => ({ refused: new CoordinatorError('lock_key_invalid', { key, places, message }) });
    }
  }
  const decision: Decision = board.decide({ holder, keys, ttlMs });
  if ('granted' in decision) return () => ({ granted: decision.granted });
  const refused = waitMs === 0 ? toConflict(board.table, decision, 0) : findFullQueue(board, { holder, keys, queue });
  if (refused !== undefined) return () => ({ refused });
  const id = uuidv7();
  queue.waiting.set(holder.sessionId, (queue.waiting.get(holder.sessionId) ?? 0) + 1);
  board.enqueue({ ...holder, id, keys, ttlMs, waitMs });
  return () => ({ queued: { requestId: id, holder } });
}

/** Why one more may not wait, undefined where it may. */
function findFullQueue(
  { table }: LockBoard,
  {
    holder,
    keys,
    queue: { lockWaitersMax, waiting },
  }: { readonly holder: Holder; readonly keys: readonly LockRequest[]; readonly queue: Queue },
): CoordinatorError | undefined {
  const facts = { setting: 'lockWaitersMax', limit: lockWaitersMax, retryAfterMs: 200 };
  if ((waiting.get(holder.sessionId) ?? 0) >= lockWaitersMax)
    return new CoordinatorError('overloaded', { ...facts, message: `This session waits for ${lockWaitersMax} locks already.` });
  const full = keys.find(({ key }) => table.waits.filter((wait) => wait.key === key).length >= lockWaitersMax);
  if (full === undefined) return undefined;
  return new CoordinatorError('overloaded', { ...facts, key: full.key, message: `${lockWaitersMax} wait for ${full.key} already.` });
}

/** What a holder has of the keys it names, by the key or by the range it was allocated of. */
function findOwn(
  { table }: LockBoard,
  { holder, keys }: { readonly holder: Holder; readonly keys: readonly string[] | undefined },
): Grant[] {
  const isOwn = ({ sessionId, taskId, attempt }: Grant) =>
    sessionId === holder.sessionId && taskId === holder.taskId && (holder.attempt === undefined || attempt === holder.attempt);
  const isNamed = ({ key, requested }: Grant) =>
    keys === undefined || keys.includes(key) || (requested !== undefined && keys.includes(requested));
  return table.grants.filter((grant) => isOwn(grant) && isNamed(grant));
}

function release(board: LockBoard, grants: readonly Grant[]): Outcome {
  board.end(grants);
  if (grants.length > 0) board.serve();
  return () => ({ released: grants.length });
}

function renew(
  board: LockBoard,
  grants: readonly Grant[],
  { keys, ttlMs }: { readonly keys: readonly string[]; readonly ttlMs: number },
): Outcome {
  const lost = keys.filter((name) => !grants.some(({ key, requested }) => key === name || requested === name));
  if (lost.length > 0) return () => ({ refused: new CoordinatorError('lock_lost', { keys: lost }) });
  for (const grant of grants) board.renew(grant, ttlMs);
  return () => ({ granted: grants.map(toGranted) });
}
