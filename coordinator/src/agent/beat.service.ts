import { CoordinatorError, type RevocationReason } from '@baton/protocol';
import { createGroupedRead } from '../db/grouped-read.ts';
import { type Database, transact, type Tx } from '../db/transaction.ts';
import { endAttempts } from '../task/attempt-end.service.ts';
import { holdSession } from '../task/fence.store.ts';
import { lockTasks } from '../task/task.store.ts';
import { type AttemptId, compareReports, type Finding } from './beat.store.ts';
import type { SessionParts } from './session.service.ts';
import { createSuspicions } from './suspicions.ts';

export interface Beat {
  readonly projectId: string;
  readonly sessionId: string;
  /** All that the agent has in hand; left out, nothing is compared but whether the session lives. */
  readonly attempts: readonly AttemptId[] | undefined;
}

/**
 * Takes a beat. Answers what the agent named and no longer holds. What it was given and has not known for two beats was lost
 * on the way, and is handed out again.
 * @throws CoordinatorError `session_unknown` where the session has ended, by whichever coordinator
 */
export type TakeBeat = (beat: Beat) => Promise<readonly (AttemptId & { readonly reason: RevocationReason })[]>;

/** Beats of many agents share a statement; only a session that has missed something pays for a transaction. */
export function createTakeBeat(db: Database, parts: SessionParts): TakeBeat {
  const compare = createGroupedRead<Beat & { readonly at: number }, readonly Finding[]>(async (beats) => {
    const now = performance.now();
    const reports = beats.map(({ at, ...beat }) => ({ ...beat, agoMs: now - at }));
    const findings = Map.groupBy(await compareReports(db.em.fork(), reports, 2 * parts.liveness.heartbeatMs), ({ index }) => index);
    return beats.map((_, index) => findings.get(index) ?? []);
  });

  const suspicions = createSuspicions();
  const confirmMissed = (sessionId: string, findings: readonly Finding[]) => {
    const missed = findings.flatMap((finding) => (finding.kind === 'missed' ? [{ taskId: finding.taskId, attempt: finding.attempt }] : []));
    // Half an interval: the next beat of an agent may come a little early, and one sent twice is one.
    return suspicions.confirm(sessionId, missed, parts.liveness.heartbeatMs / 2);
  };

  return async (beat) => {
    const findings = await compare({ ...beat, at: performance.now() });
    if (findings.some(({ kind }) => kind === 'ended')) {
      suspicions.forget(beat.sessionId);
      throw new CoordinatorError('session_unknown');
    }
    const missed = beat.attempts === undefined ? [] : confirmMissed(beat.sessionId, findings);
    if (missed.length > 0) await transact(db, beat.projectId, (tx) => handOutAgain(tx, parts, beat.sessionId, missed));
    return findings.flatMap((finding) => {
      if (finding.kind !== 'revoked') return [];
      const { taskId, attempt, reason } = finding;
      return [{ taskId, attempt, reason }];
    });
  };
}

/** Ends attempts of a session that it does not know of, as far as they still run: they were no tries, and leave nothing. */
async function handOutAgain(tx: Tx, parts: SessionParts, sessionId: string, missed: readonly AttemptId[]): Promise<void> {
  const attemptOf = new Map(missed.map(({ taskId, attempt }) => [taskId, attempt]));
  await holdSession(tx.em, sessionId);
  const tasks = (await lockTasks(tx, [...attemptOf.keys()])).filter(
    (task) => task.state === 'running' && task.sessionId === sessionId && task.attempt === attemptOf.get(task.id),
  );
  const error = { code: 'claim_lost', message: 'The agent does not know of this attempt.' };
  await endAttempts(
    tx,
    parts,
    tasks.map((task) => ({ task, outcome: 'released', error, permanent: false, isUnnoted: true })),
  );
}
