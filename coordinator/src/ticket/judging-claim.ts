import { v7 as uuidv7 } from 'uuid';
import type { Database } from '../db/transaction.ts';
import { claimJudging, endJudging, type JudgingClaim, renewJudging } from '../phase/phase-visit.store.ts';

export interface JudgingParts {
  readonly db: Database;
  /** For how long a coordinator may say nothing while it judges, until another takes over. */
  readonly judgingLeaseMs: number;
}

/** What is done while the claim is held. Its signal aborts when the claim is lost. */
export interface Judging<T> {
  readonly visitId: string;
  readonly signal: AbortSignal;
  readonly work: (signal: AbortSignal) => Promise<T>;
}

/**
 * Judges the gate of a visit by itself: of all coordinators one at a time, since programs may not bear company. Undefined where
 * another does, or has taken over from this one because it was not heard of.
 */
export async function judgeAlone<T>({ db, judgingLeaseMs }: JudgingParts, { visitId, signal, work }: Judging<T>): Promise<T | undefined> {
  const claim: JudgingClaim = { visitId, claimId: uuidv7() };
  if (!(await claimJudging(db.em.fork(), claim, judgingLeaseMs))) return undefined;
  const lost = new AbortController();
  const beat = () =>
    renewJudging(db.em.fork(), claim, judgingLeaseMs).then(
      (isHeld) => isHeld || lost.abort(),
      // Whether the claim is lost shows when the database answers again.
      () => undefined,
    );
  // Two beats may be lost.
  const timer = setInterval(() => void beat(), judgingLeaseMs / 3);
  try {
    return await work(AbortSignal.any([signal, lost.signal]));
  } catch (error) {
    if (lost.signal.aborted) return undefined;
    throw error;
  } finally {
    clearInterval(timer);
    await endJudging(db.em.fork(), claim);
  }
}
