import type { LiveSessions } from '../agent/live-sessions.ts';
import { loseSession, type SessionParts } from '../agent/session.service.ts';
import { extendAllLeases, extendIdleLeases, extendLeases, listExpiredSessions, lockExpiredSession } from '../agent/session.store.ts';
import type { EntityManager } from '../db/orm.ts';
import { type Database, transact } from '../db/transaction.ts';
import type { Log } from '../log.ts';
import type { ClaimQueue } from '../task/claim-queue.ts';
import { createLoop, type Loop } from './loop.ts';

export interface SessionSweeperParts {
  readonly db: Database;
  readonly session: SessionParts;
  readonly queue: Pick<ClaimQueue, 'listWaitingSessions'>;
  readonly sweepMs: number;
  readonly log: Log;
}

/** How many expired sessions one run ends. */
const expiredMax = 500;
/** A gap between two runs beyond this many intervals was a pause of ours: agents could not reach us. */
const pauseIntervals = 3;

/**
 * Writes down who was heard of, in one statement, and then ends the sessions whose leases have run out. After a pause of
 * ours all leases are extended by the gap first: silence that we caused proves nothing.
 */
export function createSessionSweeper({ db, session, queue, sweepMs, log }: SessionSweeperParts): Loop {
  let lastRun = performance.now();
  return createLoop({
    name: 'session sweeper',
    intervalMs: sweepMs,
    log,
    async run() {
      const gapMs = performance.now() - lastRun;
      lastRun = performance.now();
      const em = db.em.fork();
      if (gapMs > pauseIntervals * sweepMs) {
        log.warn({ gapMs: Math.round(gapMs) }, 'the coordinator paused; all leases are extended by the gap');
        await extendAllLeases(em, gapMs);
      }
      await writeBeats(em, session.live, session.liveness.leaseMs);
      await extendIdleLeases(em, queue.listWaitingSessions(), session.liveness.leaseMs);
      for (const { id, projectId } of await listExpiredSessions(em, expiredMax)) await endExpired(db, session, id, projectId);
      lastRun = performance.now();
    },
  });
}

async function writeBeats(em: EntityManager, live: LiveSessions, leaseMs: number): Promise<void> {
  const heardOf = live.takeTouched();
  if (heardOf.length === 0) return;
  try {
    await extendLeases(em, heardOf, leaseMs);
  } catch (error) {
    live.touchAll(heardOf);
    throw error;
  }
}

const endExpired = (db: Database, parts: SessionParts, sessionId: string, projectId: string): Promise<void> =>
  transact(db, projectId, async (tx) => {
    const expired = await lockExpiredSession(tx.em, sessionId);
    if (expired !== undefined) await loseSession(tx, parts, expired, 'expired');
  });
