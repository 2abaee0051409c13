import { CoordinatorError } from '@baton/protocol';
import type { HandlersOf } from '../call.ts';
import { type Database, write } from '../db/transaction.ts';
import type { Metrics } from '../metrics.ts';
import { acquireLocks, toHolder } from './acquire.ts';
import type { LockCall, LockOutcome } from './lock-batch.ts';
import { normaliseKey } from './lock-key.ts';
import { getLock, listLocks } from './lock-list.store.ts';
import { createLockRunner, type LockLimits } from './lock-runner.ts';
import { checkFence, definePlaces } from './lock.service.ts';
import type { RequestWaiters } from './request-waiters.ts';

export interface LockParts {
  readonly db: Database;
  readonly waiters: RequestWaiters;
  readonly metrics: Pick<Metrics, 'recordLockWait'>;
  readonly limits: LockLimits;
}

export const lockHandlers = ({ db, waiters, metrics, limits }: LockParts): HandlersOf<'lock'> => {
  const runner = createLockRunner(db, limits);
  const run = async (projectId: string, call: LockCall): Promise<Exclude<LockOutcome, { refused: unknown }>> => {
    const outcome = await runner(projectId, call);
    if ('refused' in outcome) throw outcome.refused;
    return outcome;
  };

  return {
    'lock/acquire': (params, { session, caller, signal }) =>
      timeWait(metrics, () =>
        acquireLocks({ db, waiters, run, lockGrantsMax: limits.lockGrantsMax }, { session, projectId: caller.projectId, signal }, params),
      ),

    'lock/renew': async ({ keys, ttlMs, ...attempt }, { session, caller }) => {
      const call = { kind: 'renew', holder: toHolder(session, attempt), keys: keys.map(normaliseKey), ttlMs } as const;
      const outcome = await run(caller.projectId, call);
      return { locks: 'granted' in outcome ? [...outcome.granted] : [] };
    },

    'lock/release': async ({ keys, ...attempt }, { session, caller }) => {
      const call = { kind: 'release', holder: toHolder(session, attempt), keys: keys?.map(normaliseKey) } as const;
      const outcome = await run(caller.projectId, call);
      return { released: 'released' in outcome ? outcome.released : 0 };
    },

    'lock/define': (params, call) =>
      write(db, call, params, async (tx) => {
        const key = normaliseKey(params.key);
        await definePlaces(tx, { key, places: params.places });
        return getLock(tx.em, tx.projectId, key);
      }),

    'lock/check': async ({ key, fence }, { em, caller }) => ({
      valid: await checkFence(em, caller.projectId, { key: normaliseKey(key), fence }),
    }),

    'lock/get': ({ key }, { em, caller }) => getLock(em, caller.projectId, normaliseKey(key)),

    'lock/list': async ({ taskId, agentId, limit }, { em, caller }) => ({
      locks: await listLocks(em, { projectId: caller.projectId, taskId, agentId, limit }),
    }),
  };
};

/** Records how long it took, however it ended. */
async function timeWait<T>(metrics: LockParts['metrics'], wait: () => Promise<T>): Promise<T> {
  const since = performance.now();
  try {
    const locks = await wait();
    metrics.recordLockWait('ok', performance.now() - since);
    return locks;
  } catch (error) {
    metrics.recordLockWait(error instanceof CoordinatorError ? error.kind : 'internal', performance.now() - since);
    throw error;
  }
}
