import { CoordinatorError, type GrantedLock, type LockRequest } from '@baton/protocol';
import type { Session } from '../call.ts';
import { type Database, transact, type Tx } from '../db/transaction.ts';
import { holdAttempt, holdSession } from '../task/fence.store.ts';
import { type Holder, normaliseRequests } from './lock-rules.ts';
import { listLocks } from './lock-list.store.ts';
import { enqueueRequest, grantLocks, releaseLocks, withdrawRequests } from './lock.service.ts';
import { takeRequest } from './lock-request.store.ts';
import type { RequestWaiters } from './request-waiters.ts';

export interface Acquisition {
  readonly keys: readonly LockRequest[];
  readonly ttlMs: number;
  readonly waitMs: number;
  readonly taskId?: string | undefined;
  readonly attempt?: number | undefined;
}

export interface AcquireParts {
  readonly db: Database;
  readonly waiters: RequestWaiters;
}

export interface AcquireCall {
  readonly session: Session;
  readonly projectId: string;
  readonly signal: AbortSignal;
}

interface Queued {
  readonly requestId: string;
  readonly holder: Holder;
}

type Step = { readonly granted: readonly GrantedLock[] } | { readonly refused: CoordinatorError } | { readonly queued: Queued };

export const toHolder = (
  { sessionId, agentId, agentName }: Session,
  { taskId, attempt }: Pick<Acquisition, 'taskId' | 'attempt'>,
): Holder => ({ sessionId, agentId, agentName, taskId, attempt });

/** Takes all the keys or none. Waits in the queue up to `waitMs`; the transaction that releases the locks hands them over. */
export async function acquireLocks(
  parts: AcquireParts,
  call: AcquireCall,
  acquisition: Acquisition,
): Promise<{ locks: GrantedLock[]; waitedMs: number }> {
  const since = performance.now();
  const waitedMs = () => Math.round(performance.now() - since);
  const wanted = { ...acquisition, keys: normaliseRequests(acquisition.keys) };

  const first = await transact(parts.db, call.projectId, (tx) => grantOrQueue(tx, call, wanted));
  const last = 'queued' in first ? await waitForGrant(parts, call, { ...wanted, ...first.queued, waitedMs }) : first;
  if ('refused' in last) throw last.refused;
  return { locks: [...last.granted], waitedMs: waitedMs() };
}

async function grantOrQueue(tx: Tx, { session }: AcquireCall, { keys, ttlMs, waitMs, taskId, attempt }: Acquisition): Promise<Step> {
  await holdSession(tx.em, session.sessionId);
  // A lock taken for a task is held for the attempt that runs, whether the caller names it or not: it ends with it.
  const held = taskId === undefined ? undefined : await holdAttempt(tx, { taskId, attempt, sessionId: session.sessionId });
  const holder = toHolder(session, { taskId, attempt: held?.attempt });

  const [outcome] = await grantLocks(tx, [{ holder, keys, ttlMs }]);
  if (outcome === undefined || 'granted' in outcome) return outcome ?? { granted: [] };
  if (waitMs === 0) return { refused: await toConflict(tx, { keys: [outcome.blockedBy], waitedMs: 0 }) };
  return { queued: { requestId: await enqueueRequest(tx, { holder, keys, ttlMs, waitMs }), holder } };
}

interface Waiting extends Acquisition, Queued {
  readonly waitedMs: () => number;
}

async function waitForGrant(
  { db, waiters }: AcquireParts,
  { projectId, signal }: AcquireCall,
  waiting: Waiting,
): Promise<Exclude<Step, { queued: unknown }>> {
  const { requestId, waitMs, waitedMs, taskId } = waiting;
  while (!signal.aborted && waitedMs() < waitMs) {
    // Listen first, then look: a grant between the two would be missed the other way round.
    const woken = waiters.wait(requestId, { waitMs: waitMs - waitedMs(), signal });
    const state = await takeRequest(db.em.fork(), requestId);
    if (state === 'withdrawn')
      return {
        refused: new CoordinatorError(taskId === undefined ? 'session_unknown' : 'claim_stale', {
          taskId,
          attempt: waiting.holder.attempt,
        }),
      };
    if (state !== 'waiting') return state;
    await woken;
  }
  return transact(db, projectId, (tx) => giveUp(tx, waiting, signal));
}

/** Leaves the queue. What was granted at the last moment is taken, or given back where nobody waits for it any more. */
async function giveUp(
  tx: Tx,
  { requestId, holder, keys, waitedMs }: Waiting,
  signal: AbortSignal,
): Promise<Exclude<Step, { queued: unknown }>> {
  const names = keys.map(({ key }) => key);
  const state = await takeRequest(tx.em, requestId);
  if (typeof state === 'object') {
    if (!signal.aborted) return state;
    await releaseLocks(tx, { holder, keys: names });
    return { refused: new CoordinatorError('cancelled') };
  }
  await withdrawRequests(tx, [{ id: requestId, keys: names }]);
  if (signal.aborted) return { refused: new CoordinatorError('cancelled') };
  return { refused: await toConflict(tx, { keys: names, waitedMs: waitedMs() }) };
}

/** Names who holds the first taken key, and for how much longer. */
async function toConflict(
  { em, projectId }: Tx,
  { keys, waitedMs }: { keys: readonly string[]; waitedMs: number },
): Promise<CoordinatorError> {
  const locks = await listLocks(em, { projectId, keys, limit: keys.length });
  const taken = locks.find(({ holders }) => holders.length > 0);
  return new CoordinatorError('lock_conflict', { key: taken?.key ?? keys[0], waitedMs, holders: taken?.holders ?? [] });
}
