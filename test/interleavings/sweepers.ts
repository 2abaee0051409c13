import { markSwept } from '../../coordinator/src/agent/session.store.ts';
import { createChanges } from '../../coordinator/src/db/changes.ts';
import type { Database } from '../../coordinator/src/db/transaction.ts';
import { createLockSweeper } from '../../coordinator/src/loops/lock-sweeper.ts';
import type { Loop } from '../../coordinator/src/loops/loop.ts';
import { createSessionSweeper } from '../../coordinator/src/loops/session-sweeper.ts';
import type { GatedCoordinator } from './world.ts';

/** One run of a loop of its own, as it would come by itself within a second. */
async function runLoop(loop: Loop): Promise<void> {
  let hasFailed = false;
  loop.onRun((run) => (hasFailed ||= run.hasFailed));
  await loop.runOnce();
  await loop.stop();
  if (hasFailed) throw new Error(`The ${loop.name} failed.`);
}

/** The database of a coordinator, with changes that the loop hears of if they are its own, and the coordinator always. */
function apart({ db, log }: GatedCoordinator): Database {
  const changes = createChanges(log);
  changes.onChange((change) => db.changes.tell(change));
  return { ...db, changes };
}

/** Ends the sessions whose leases are over. */
export const sweepSessions = (coordinator: GatedCoordinator): Promise<void> => {
  const { db, parts, config, log } = coordinator;
  return runLoop(createSessionSweeper({ db, session: parts.session, queue: parts.queue, sweepMs: config.sweepMs, log }));
};

/** Hands on the locks whose time is over, and what could not be handed over on the spot. */
export const sweepLocks = (coordinator: GatedCoordinator): Promise<void> => {
  const { parts, config, log } = coordinator;
  return runLoop(createLockSweeper({ db: apart(coordinator), live: parts.live, sweepMs: config.sweepMs, log }));
};

/** Writes down that sessions have been looked after until now: the time that has passed was no pause. */
export const noPause = ({ db }: GatedCoordinator): Promise<unknown> => markSwept(db.em.fork(), 0);
