import type { LiveSessions } from '../agent/live-sessions.ts';
import { lockEndingSession, loseSession, type SessionParts } from '../agent/session.service.ts';
import {
  extendIdleLeases,
  extendLeases,
  forgivePause,
  listEndedSessions,
  listExpiredSessions,
  lockExpiredSession,
  markSwept,
  renewLeases,
} from '../agent/session.store.ts';
import { afterSweep, mayEndSessions, noSweeps, pauseBeyondMs } from '../agent/sweep-rules.ts';
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

/** How many expired sessions one run ends: few, so that the beats of the others are written meanwhile. */
const expiredMax = 100;

/**
 * A gap between two looks beyond this was a pause of ours: agents could not reach us. Three intervals, as with beats; and long
 * enough that a slow statement is none.
 */
export const pauseMsOf = (sweepMs: number): number => Math.max(3 * sweepMs, 1_000);

/**
 * Writes down who was heard of, in one statement, and then ends the sessions whose leases have run out. Silence that we caused
 * proves nothing: a time in which no coordinator looked is given to all sessions, one in which only this one did not look to
 * those that it serves. What has expired is ended beside the looks: an end that waits for a row is no time in which nobody looked.
 */
export function createSessionSweeper({ db, session, queue, sweepMs, log }: SessionSweeperParts): Loop {
  const { live } = session;
  const pauseMs = pauseMsOf(sweepMs);
  let lastSwept = performance.now();
  let past = noSweeps;
  let ending: Promise<void> | undefined;

  const run = async (): Promise<void> => {
    const startedAt = performance.now();
    const { leaseMs } = session.liveness;
    const em = db.em.fork();
    await giveLostTime(em, startedAt - lastSwept);
    await writeBeats(em, live, leaseMs);
    await extendIdleLeases(em, queue.listWaitingSessions(), leaseMs);
    // Who beat while the database was slow has been heard of in memory only.
    await writeBeats(em, live, leaseMs);
    const expired = await listExpiredSessions(em, expiredMax);
    past = afterSweep(past, performance.now() - startedAt, pauseMs);
    if (!mayEndSessions(past)) return;
    await markSwept(em, performance.now() - startedAt);
    lastSwept = startedAt;
    live.forgetSilent(leaseMs);
    ending ??= endAll(expired).finally(() => (ending = undefined));
  };

  const giveLostTime = async (em: EntityManager, gapMs: number): Promise<void> => {
    const beyondMs = pauseBeyondMs(past, pauseMs);
    const givenMs = await forgivePause(em, { pauseMs: beyondMs, leaseMs: session.liveness.leaseMs });
    if (givenMs > 0) log.warn({ gapMs: Math.round(givenMs) }, 'no coordinator looked after sessions; all leases are extended by the gap');
    else if (gapMs > beyondMs) {
      log.warn({ gapMs: Math.round(gapMs) }, 'this coordinator paused; the leases of its sessions are extended by the gap');
      await renewLeases(em, live.listHeard(), Math.min(gapMs, session.liveness.leaseMs));
    }
  };

  const endAll = async (expired: readonly { id: string; projectId: string }[]): Promise<void> => {
    const { leaseMs } = session.liveness;
    let ended = 0;
    for (const { id, projectId } of expired) {
      if ((live.silenceMs(id) ?? leaseMs) < leaseMs) continue;
      try {
        await endExpired(db, session, id, projectId);
        ended += 1;
      } catch (error) {
        // One session that cannot be ended must not hold up the others.
        log.error({ err: error, sessionId: id }, 'an expired session could not be ended');
      }
    }
    if (expired.length === expiredMax && ended > 0) loop.poke();
  };

  const loop = createLoop({ name: 'session sweeper', intervalMs: sweepMs, log, run });
  return {
    ...loop,
    async runOnce() {
      await loop.runOnce();
      await ending;
    },
    async stop() {
      await loop.stop();
      await ending;
    },
  };
}

async function writeBeats(em: EntityManager, live: LiveSessions, leaseMs: number): Promise<void> {
  const heardOf = live.takeTouched();
  if (heardOf.length === 0) return;
  try {
    const living = await extendLeases(em, heardOf, leaseMs);
    const others = heardOf.flatMap(({ sessionId }) => (living.has(sessionId) ? [] : [sessionId]));
    // Ended by another coordinator, which cannot tell the connection here.
    if (others.length > 0) for (const { id, reason } of await listEndedSessions(em, others)) live.end(id, reason);
  } catch (error) {
    live.touchAll(heardOf);
    throw error;
  }
}

const endExpired = (db: Database, parts: SessionParts, sessionId: string, projectId: string): Promise<void> =>
  transact(db, projectId, async (tx) => {
    const expired = await lockEndingSession(tx, sessionId, lockExpiredSession);
    if (expired !== undefined) await loseSession(tx, parts, expired, 'expired');
  });
