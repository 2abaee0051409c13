import { CoordinatorError, type Lock } from '@baton/protocol';
import type { HandlersOf } from '../call.ts';
import { transact } from '../db/transaction.ts';
import type { Metrics } from '../metrics.ts';
import { acquireLocks, type AcquireParts, toHolder } from './acquire.ts';
import { normaliseKey } from './lock-rules.ts';
import { listLocks } from './lock-list.store.ts';
import { releaseLocks } from './lock.service.ts';
import { isFenceCurrent, renewGrants } from './lock.store.ts';

export interface LockParts extends AcquireParts {
  readonly metrics: Pick<Metrics, 'recordLockWait'>;
}

export const lockHandlers = ({ metrics, ...parts }: LockParts): HandlersOf<'lock'> => ({
  'lock/acquire': (params, { session, caller, signal }) =>
    timeWait(metrics, () => acquireLocks(parts, { session, projectId: caller.projectId, signal }, params)),

  'lock/renew': ({ keys, ttlMs, ...attempt }, { session, caller }) =>
    transact(parts.db, caller.projectId, async ({ em, projectId }) => {
      const wanted = keys.map(normaliseKey);
      const locks = await renewGrants(em, { projectId, holder: toHolder(session, attempt), keys: wanted, ttlMs });
      const lost = wanted.filter((key) => !locks.some((lock) => lock.key === key));
      if (lost.length > 0) throw new CoordinatorError('lock_lost', { keys: lost });
      return { locks };
    }),

  'lock/release': async ({ keys, taskId, attempt }, { session, caller }) => ({
    released: await transact(parts.db, caller.projectId, (tx) =>
      releaseLocks(tx, { holder: toHolder(session, { taskId, attempt }), keys: keys?.map(normaliseKey) }),
    ),
  }),

  'lock/check': async ({ key, fence }, { em, caller }) => ({
    valid: await isFenceCurrent(em, caller.projectId, { key: normaliseKey(key), fence }),
  }),

  'lock/get': async ({ key }, { em, caller }) => {
    const canonical = normaliseKey(key);
    const [lock] = await listLocks(em, { projectId: caller.projectId, keys: [canonical], limit: 1 });
    return lock ?? freeLock(canonical);
  },

  'lock/list': async ({ taskId, agentId, limit }, { em, caller }) => ({
    locks: await listLocks(em, { projectId: caller.projectId, taskId, agentId, limit }),
  }),
});

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

/** A key that nobody has asked for yet. */
const freeLock = (key: string): Lock => ({ key, fence: 0, holders: [], waiters: [] });
