import type { Log } from '../log.ts';
import { createDueTimes, type DueTimes } from './due-times.ts';

/** What a committed transaction may have made possible, without saying what exactly: a hint to look, never a fact. */
export interface Change {
  readonly projectId: string;
  /** Events were recorded. */
  readonly events?: boolean;
  /** Tasks became claimable. */
  readonly tasks?: boolean;
  /** Lock requests were decided: granted, or withdrawn with what they were for. */
  readonly requestIds?: readonly string[];
  /** A lock may be free that somebody waits for, and could not be handed over on the spot. */
  readonly locksDue?: boolean;
  /** Tickets may be moved on by their workflow. */
  readonly tickets?: boolean;
  /** Another coordinator told of it. */
  readonly isForeign?: boolean;
}

/**
 * Tells the loops of this coordinator, and over NOTIFY those of the others, that there may be something to do. A hint can
 * be lost: whoever listens also looks by himself, slowly.
 */
export interface Changes {
  tell(change: Change): void;
  onChange(listener: (change: Change) => void): () => void;
  /** Tells that tasks are claimable when so much time has passed, as after a back-off. */
  tellTasksIn(projectId: string, delayMs: number): void;
  /** Runs what follows a commit. What it throws is logged: the commit stands, and the caller is to hear of it. */
  afterCommit(action: () => void): void;
  /** Forgets what would have been told later. */
  stop(): void;
}

export function createChanges(log: Pick<Log, 'error'>): Changes {
  const listeners = new Set<(change: Change) => void>();
  const dueTimes = new Map<string, DueTimes>();
  let hasStopped = false;
  const afterCommit = (action: () => void) => {
    try {
      action();
    } catch (error) {
      log.error({ err: error }, 'what follows a commit failed');
    }
  };
  const tell = (change: Change) => {
    for (const listener of listeners) afterCommit(() => listener(change));
  };
  return {
    tell,
    afterCommit,
    tellTasksIn(projectId, delayMs) {
      // Whatever is further away is left to the slow look.
      if (hasStopped) return;
      const times = dueTimes.get(projectId) ?? createDueTimes(() => tell({ projectId, tasks: true }));
      dueTimes.set(projectId, times);
      times.addIn(delayMs);
    },
    stop() {
      hasStopped = true;
      for (const times of dueTimes.values()) times.stop();
    },
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
