import type { AttemptId } from './beat.store.ts';

/**
 * Attempts that a session has not named although it should have known them. One beat proves nothing: when the database or this
 * process stood still, the answer that brings an attempt may have left after a beat that is older than it looks.
 */
export interface Suspicions {
  /**
   * Takes what a beat has missed, in place of what the one before it had. Answers what has been missed for long enough, and
   * forgets it.
   */
  confirm(sessionId: string, missed: readonly AttemptId[], afterMs: number): readonly AttemptId[];
  forget(sessionId: string): void;
}

/** Of sessions that go silent a suspicion would stay for ever. To forget all of them costs a beat. */
const sessionsMax = 10_000;

export function createSuspicions(now = () => performance.now()): Suspicions {
  const bySession = new Map<string, ReadonlyMap<string, number>>();

  return {
    confirm(sessionId, missed, afterMs) {
      const before = bySession.get(sessionId);
      const since = (attempt: AttemptId) => before?.get(keyOf(attempt)) ?? now();
      const confirmed = missed.filter((attempt) => before?.has(keyOf(attempt)) === true && now() - since(attempt) >= afterMs);
      const open = missed.filter((attempt) => !confirmed.includes(attempt));
      if (open.length === 0) bySession.delete(sessionId);
      else {
        if (bySession.size >= sessionsMax) bySession.clear();
        bySession.set(sessionId, new Map(open.map((attempt) => [keyOf(attempt), since(attempt)])));
      }
      return confirmed;
    },
    forget: (sessionId) => void bySession.delete(sessionId),
  };
}

const keyOf = ({ taskId, attempt }: AttemptId) => `${taskId}#${attempt}`;
