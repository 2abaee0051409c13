import { CoordinatorError, type GrantedLock } from '@baton/protocol';
import type { Session } from '../call.ts';
import type { EntityManager } from '../db/orm.ts';
import { type Database, transact, type Tx } from '../db/transaction.ts';
import type { Acquisition, LockCall, LockOutcome, Queued } from './lock-batch.ts';
import { openBoard } from './lock-board.ts';
import { toConflict } from './lock-conflict.ts';
import { normaliseRequests, refuseTooManyGrants } from './lock-key.ts';
import type { Holder } from './lock-table.ts';
import { isHolderLiving } from './lock-holder.store.ts';
import { takeRequest } from './lock-request.store.ts';
import { decideWant } from './lock-table.service.ts';
import type { RequestWaiters } from './request-waiters.ts';

export interface NamedAcquisition extends Acquisition {
  readonly taskId?: string | undefined;
  readonly attempt?: number | undefined;
}

export interface AcquireParts {
  readonly db: Database;
  readonly waiters: RequestWaiters;
  /** Runs a call together with those that came at the same time. */
  readonly run: (projectId: string, call: LockCall) => Promise<LockOutcome>;
  readonly lockGrantsMax: number;
}

export interface AcquireCall {
  readonly session: Session;
  readonly projectId: string;
  readonly signal: AbortSignal;
}

type Step = { readonly granted: readonly GrantedLock[] } | { readonly refused: CoordinatorError };

export const toHolder = (
  { sessionId, agentId, agentName }: Session,
  { taskId, attempt }: Pick<NamedAcquisition, 'taskId' | 'attempt'>,
): Holder => ({ sessionId, agentId, agentName, taskId, attempt });

/** Takes all the keys or none. Waits in the queue up to `waitMs`; the transaction that releases the locks hands them over. */
export async function acquireLocks(
  parts: AcquireParts,
  call: AcquireCall,
  acquisition: NamedAcquisition,
): Promise<{ locks: GrantedLock[]; waitedMs: number }> {
  const since = performance.now();
  const waitedMs = () => Math.round(performance.now() - since);
  const wanted = { ...acquisition, keys: normaliseRequests(acquisition.keys) };
  refuseTooManyGrants(wanted.keys, { path: 'keys', lockGrantsMax: parts.lockGrantsMax });

  const holder = toHolder(call.session, acquisition);
  const take = async () => {
    const first = await parts.run(call.projectId, { kind: 'acquire', holder, acquisition: wanted });
    return 'queued' in first ? waitForGrant(parts, call, { ...wanted, ...first.queued, waitedMs }) : first;
  };
  const last = await take().catch((error: unknown) => {
    throw isOverdue(error, wanted.waitMs, waitedMs())
      ? new CoordinatorError('overloaded', { waitedMs: waitedMs() }, { cause: error })
      : error;
  });
  if ('refused' in last) throw last.refused;
  if (!('granted' in last)) throw new Error('An acquisition was answered as if it were a release.');
  return { locks: [...last.granted], waitedMs: waitedMs() };
}

/** Trying again would take longer than the caller wanted to wait: it is told without a time, for its connection not to repeat the call. */
function isOverdue(error: unknown, waitMs: number, waitedMs: number): boolean {
  if (!(error instanceof CoordinatorError) || error.kind !== 'overloaded') return false;
  const againMs = error.data['retryAfterMs'];
  return typeof againMs === 'number' && waitedMs >= waitMs + againMs;
}

interface Waiting extends Acquisition, Queued {
  readonly waitedMs: () => number;
}

async function waitForGrant({ db, waiters }: AcquireParts, { projectId, signal }: AcquireCall, waiting: Waiting): Promise<Step> {
  const { requestId, waitMs, waitedMs } = waiting;
  while (!signal.aborted && waitedMs() < waitMs) {
    // Listen first, then look: a grant between the two would be missed the other way round.
    const woken = waiters.wait(requestId, { waitMs: waitMs - waitedMs(), signal });
    const state = await takeRequest(db.em.fork(), requestId);
    if (state === 'withdrawn') return { refused: await toWithdrawn(db.em.fork(), waiting) };
    if (state !== 'waiting') return state;
    await woken;
  }
  return transact(db, projectId, (tx) => giveUp(tx, waiting, signal));
}

/**
 * Why a request was withdrawn that its caller still waits for: its session or attempt has ended, and what it waited for with
 * it; or the answer was not taken in time, and is over.
 */
async function toWithdrawn(em: EntityManager, { holder, keys, waitedMs }: Waiting): Promise<CoordinatorError> {
  const { taskId, attempt } = holder;
  if (await isHolderLiving(em, holder))
    return new CoordinatorError('lock_conflict', { key: keys[0]?.key, waitedMs: waitedMs(), holders: [] });
  return new CoordinatorError(taskId === undefined ? 'session_unknown' : 'claim_stale', { taskId, attempt });
}

/** Leaves the queue. What was granted at the last moment is taken, or given back where nobody waits for it any more. */
async function giveUp(tx: Tx, waiting: Waiting, signal: AbortSignal): Promise<Step> {
  const { requestId, holder, keys, ttlMs, waitedMs } = waiting;
  const names = keys.map(({ key }) => key);
  // Locked before it is looked at: nobody grants it from here on.
  const board = await openBoard(tx, { keys: [], freeing: names });
  const state = await takeRequest(tx.em, requestId);
  if (state === 'withdrawn') return { refused: await toWithdrawn(tx.em, waiting) };
  if (typeof state === 'object' && !signal.aborted) return state;

  // Only what it was granted: what its holder has besides stays.
  if (typeof state === 'object') board.end(board.table.grants.filter((grant) => grant.requestId === requestId));
  else board.withdraw([{ id: requestId, keys: names }]);
  board.serve();
  await board.write();
  if (signal.aborted) return { refused: new CoordinatorError('cancelled') };
  const decision = decideWant(board.table, { holder, keys, ttlMs });
  if ('blockedBy' in decision) return { refused: toConflict(board.table, decision, waitedMs()) };
  return { refused: new CoordinatorError('lock_conflict', { key: names[0], waitedMs: waitedMs(), holders: [] }) };
}
