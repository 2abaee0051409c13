import { CoordinatorError, type GrantedLock, type LockRequest } from '@baton/protocol';
import type { Session } from '../call.ts';
import { type Database, transact, type Tx } from '../db/transaction.ts';
import { holdAttempt, holdSession } from '../task/fence.store.ts';
import { type Holder, normaliseRequests } from './lock-rules.ts';
import { enqueueRequest, grantLocks, releaseLocks, withdrawRequests } from './lock.service.ts';
import { listLocks } from './lock-list.store.ts';
import { takeGrantedRequest } from './lock.store.ts';

export interface Acquisition {
  readonly keys: readonly LockRequest[];
  readonly ttlMs: number;
  readonly waitMs: number;
  readonly taskId?: string | undefined;
  readonly attempt?: number | undefined;
}

export interface AcquireParts {
  readonly db: Database;
  readonly pollMs: number;
}

type Step = { readonly granted: readonly GrantedLock[] } | { readonly refused: CoordinatorError } | { readonly requestId: string };

export const toHolder = (
  { sessionId, agentId, agentName }: Session,
  { taskId, attempt }: Pick<Acquisition, 'taskId' | 'attempt'>,
): Holder => ({
  sessionId,
  agentId,
  agentName,
  taskId,
  attempt,
});

/** Takes all the keys or none. Waits in the queue up to `waitMs`; the transaction that releases the locks hands them over. */
export async function acquireLocks(
  { db, pollMs }: AcquireParts,
  call: { readonly session: Session; readonly projectId: string; readonly signal: AbortSignal },
  acquisition: Acquisition,
): Promise<{ locks: GrantedLock[]; waitedMs: number }> {
  const { session, projectId, signal } = call;
  const since = performance.now();
  const waitedMs = () => Math.round(performance.now() - since);
  const keys = normaliseRequests(acquisition.keys);
  const holder = toHolder(session, acquisition);

  const first = await transact(db, projectId, async (tx): Promise<Step> => {
    await holdSession(tx.em, session.sessionId);
    if (acquisition.taskId !== undefined)
      await holdAttempt(tx, { ...acquisition, taskId: acquisition.taskId, sessionId: session.sessionId });
    const [outcome] = await grantLocks(tx, [{ holder, keys, ttlMs: acquisition.ttlMs }]);
    if (outcome === undefined || 'granted' in outcome) return outcome ?? { granted: [] };
    if (acquisition.waitMs === 0) return { refused: await toConflict(tx, { keys: [outcome.blockedBy], waitedMs: 0 }) };
    return { requestId: await enqueueRequest(tx, { holder, keys, ttlMs: acquisition.ttlMs, waitMs: acquisition.waitMs }) };
  });
  if ('refused' in first) throw first.refused;
  if ('granted' in first) return { locks: [...first.granted], waitedMs: waitedMs() };

  const { requestId } = first;
  const granted = await waitForGrant({ db, pollMs }, requestId, AbortSignal.any([signal, AbortSignal.timeout(acquisition.waitMs)]));
  if (granted !== undefined) return { locks: [...granted], waitedMs: waitedMs() };

  const late = await transact(db, projectId, (tx) => giveUp(tx, { requestId, holder, keys, waitedMs: waitedMs(), keep: !signal.aborted }));
  if (signal.aborted) throw new CoordinatorError('cancelled');
  if ('refused' in late) throw late.refused;
  return { locks: [...late.granted], waitedMs: waitedMs() };
}

/** Looks at the request at each hint and, slowly, without one, until it is granted or the signal aborts. */
async function waitForGrant({ db, pollMs }: AcquireParts, requestId: string, signal: AbortSignal): Promise<GrantedLock[] | undefined> {
  while (!signal.aborted) {
    // Listen first, then look: a grant between the two would be missed the other way round.
    const hint = nextHint(db, pollMs, signal);
    const granted = await takeGrantedRequest(db.em.fork(), requestId);
    if (granted !== undefined) {
      hint.stop();
      return granted;
    }
    await hint.promise;
  }
  return undefined;
}

function nextHint({ changes }: Database, pollMs: number, signal: AbortSignal): { promise: Promise<void>; stop: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, pollMs);
  const off = changes.onChange(({ locks }) => {
    if (locks) resolve();
  });
  const onAbort = () => resolve();
  signal.addEventListener('abort', onAbort, { once: true });
  const stop = () => {
    clearTimeout(timer);
    off();
    signal.removeEventListener('abort', onAbort);
    resolve();
  };
  void promise.then(stop);
  return { promise, stop };
}

interface Leaving {
  readonly requestId: string;
  readonly holder: Holder;
  readonly keys: readonly LockRequest[];
  readonly waitedMs: number;
  /** Whether locks that were granted at the last moment are still wanted. */
  readonly keep: boolean;
}

async function giveUp(
  tx: Tx,
  { requestId, holder, keys, waitedMs, keep }: Leaving,
): Promise<{ readonly granted: readonly GrantedLock[] } | { readonly refused: CoordinatorError }> {
  const granted = await takeGrantedRequest(tx.em, requestId);
  if (granted !== undefined) {
    if (!keep) await releaseLocks(tx, { holder, keys: granted.map(({ key }) => key) });
    return { granted };
  }
  await withdrawRequests(tx, [requestId]);
  return { refused: await toConflict(tx, { keys: keys.map(({ key }) => key), waitedMs }) };
}

/** Names who holds the first taken key, and for how much longer. */
async function toConflict(
  { em, projectId }: Tx,
  { keys, waitedMs }: { keys: readonly string[]; waitedMs: number },
): Promise<CoordinatorError> {
  const locks = await Promise.all(keys.map((key) => listLocks(em, { projectId, key, limit: 1 })));
  const taken = locks.flat().find(({ holders }) => holders.length > 0);
  return new CoordinatorError('lock_conflict', { key: taken?.key ?? keys[0], waitedMs, holders: taken?.holders ?? [] });
}
