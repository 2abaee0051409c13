import type { LiveSessions } from '../agent/live-sessions.ts';
import { type Database, transact } from '../db/transaction.ts';
import { handOver, withdrawRequests } from '../lock/lock.service.ts';
import { findAbandonedRequests, findExpiredGrants, listDueKeys } from '../lock/lock.store.ts';
import type { Log } from '../log.ts';
import { createLoop, type Loop } from './loop.ts';

export interface LockSweeperParts {
  readonly db: Database;
  readonly live: LiveSessions;
  readonly sweepMs: number;
  readonly log: Log;
}

/** How many keys of each kind one run looks at. */
const dueMax = 500;

/** Hands on what time has freed: locks that were not renewed, places of callers that have gone. Their holders are told. */
export function createLockSweeper({ db, live, sweepMs, log }: LockSweeperParts): Loop {
  return createLoop({
    name: 'lock sweeper',
    intervalMs: sweepMs,
    log,
    async run() {
      for (const { projectId, keys } of await listDueKeys(db.em.fork(), dueMax)) {
        await transact(db, projectId, async (tx) => {
          await withdrawRequests(tx, await findAbandonedRequests(tx.em, projectId));
          const expired = await findExpiredGrants(tx.em, projectId, keys);
          await handOver(tx, keys, () => Promise.resolve());
          tx.afterCommit(() => {
            for (const { sessionId, key, fence } of expired) live.notify(sessionId, 'lock/lost', { key, fence, reason: 'expired' });
          });
        });
      }
    },
  });
}
