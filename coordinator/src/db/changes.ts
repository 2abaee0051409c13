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
  /** Tickets whose last open task has ended, perhaps. */
  readonly ticketIds?: readonly string[];
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
  /** Forgets what would have been told later. */
  stop(): void;
}

/** A timer may fire a little early, and the database's clock decides. */
const timerSlackMs = 5;

export function createChanges(): Changes {
  const listeners = new Set<(change: Change) => void>();
  const timers = new Set<NodeJS.Timeout>();
  const tell = (change: Change) => {
    for (const listener of listeners) listener(change);
  };
  return {
    tell,
    tellTasksIn(projectId, delayMs) {
      const timer = setTimeout(() => {
        timers.delete(timer);
        tell({ projectId, tasks: true });
      }, delayMs + timerSlackMs);
      timers.add(timer);
    },
    stop() {
      for (const timer of timers) clearTimeout(timer);
    },
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
