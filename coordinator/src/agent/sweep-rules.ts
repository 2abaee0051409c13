/** How the runs of the session sweeper have gone of late. */
export interface SweepPast {
  /** How many in a row took longer than a pause. */
  readonly slowRuns: number;
  readonly lastRunMs: number;
}

/** How many slow runs in a row are an exception. Beyond them it is the pace of this database, and silence counts at that pace. */
const slowRunsMax = 5;

export const noSweeps: SweepPast = { slowRuns: 0, lastRunMs: 0 };

export const afterSweep = ({ slowRuns }: SweepPast, lastRunMs: number, pauseMs: number): SweepPast => ({
  slowRuns: lastRunMs > pauseMs ? slowRuns + 1 : 0,
  lastRunMs,
});

const isUsuallySlow = ({ slowRuns }: SweepPast): boolean => slowRuns > slowRunsMax;

/**
 * Whether the run that has just looked may end sessions. Where it was slow the other coordinators may not have come to write down
 * their beats either, and the next run gives the time back; where runs are always slow, sessions would never end.
 */
export const mayEndSessions = (past: SweepPast): boolean => past.slowRuns === 0 || isUsuallySlow(past);

/** A gap between two looks beyond this was a pause. The time that a run takes where runs are always slow is none. */
export const pauseBeyondMs = (past: SweepPast, pauseMs: number): number => (isUsuallySlow(past) ? pauseMs + past.lastRunMs : pauseMs);
