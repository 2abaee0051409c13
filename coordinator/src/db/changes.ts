/** What a committed transaction may have made possible, without saying what exactly: a hint to look, never a fact. */
export interface Change {
  readonly projectId: string;
  /** Events were recorded. */
  readonly events: boolean;
  /** Tasks became claimable. */
  readonly tasks: boolean;
  /** Lock requests were granted. */
  readonly locks: boolean;
  /** Tickets whose last open task has ended, perhaps. */
  readonly ticketIds: readonly string[];
}

/**
 * Tells the loops of this coordinator, and over NOTIFY those of the others, that there may be something to do. A hint can
 * be lost: whoever listens also looks by himself, slowly.
 */
export interface Changes {
  tell(change: Change): void;
  onChange(listener: (change: Change) => void): () => void;
}

export function createChanges(): Changes {
  const listeners = new Set<(change: Change) => void>();
  return {
    tell(change) {
      for (const listener of listeners) listener(change);
    },
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
