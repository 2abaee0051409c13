import type { LiveSessions } from '../agent/live-sessions.ts';
import { type Database, transact } from '../db/transaction.ts';
import { type DueLocks, listDueKeys } from '../lock/lock-due.store.ts';
import { breakCircles } from '../lock/lock-circle.service.ts';
import { listHoldingProjects } from '../lock/lock-circle.store.ts';
import { sweepLocks } from '../lock/lock.service.ts';
import { findExpiredGrants } from '../lock/lock.store.ts';
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

/**
 * Hands on what time has freed (locks that were not renewed, places of callers that have gone) and what a transaction could
 * not hand over on the spot. Parts those who wait for each other. Holders whose locks have expired are told.
 */
export function createLockSweeper({ db, live, sweepMs, log }: LockSweeperParts): Loop {
  const loop = createLoop({
    name: 'lock sweeper',
    intervalMs: sweepMs,
    log,
    async run() {
      for (const due of await listDueKeys(db.em.fork(), dueMax)) {
        // What goes wrong in one project must not hold up the others.
        await sweep(db, live, due).catch((error: unknown) =>
          log.error({ err: error, projectId: due.projectId }, 'locks could not be swept'),
        );
      }
      for (const projectId of await listHoldingProjects(db.em.fork())) {
        await transact(db, projectId, breakCircles).catch((error: unknown) =>
          log.error({ err: error, projectId }, 'those who wait for each other could not be parted'),
        );
      }
    },
  });
  db.changes.onChange(({ locksDue }) => {
    if (locksDue === true) loop.poke();
  });
  return loop;
}

const sweep = (db: Database, live: LiveSessions, due: DueLocks): Promise<void> =>
  transact(db, due.projectId, async (tx) => {
    const expired = await findExpiredGrants(tx.em, due.projectId, due.keys);
    await sweepLocks(tx, due);
    tx.afterCommit(() => {
      for (const { sessionId, key, fence } of expired) live.notify(sessionId, 'lock/lost', { key, fence, reason: 'expired' });
    });
  });
