/** Runs work of many owners, a few pieces at a time, each owner in its turn. */
export interface Turns {
  /** Runs the work when its owner's turn has come. Of one owner, in the order given. */
  run<T>(owner: string, work: () => Promise<T>): Promise<T>;
}

/**
 * At most `inFlightMax` pieces run at a time. The owners that wait take turns, a piece each: one that brings a thousand pieces
 * delays another by one, and not by a thousand.
 */
export function createTurns(inFlightMax: number): Turns {
  // A ring: the owner at its head is next, and goes to its end if it has more.
  const waiting = new Map<string, (() => void)[]>();
  let inFlight = 0;

  const next = (): (() => void) | undefined => {
    const [head] = waiting;
    if (head === undefined) return undefined;
    const [owner, starts] = head;
    const start = starts.shift();
    waiting.delete(owner);
    if (starts.length > 0) waiting.set(owner, starts);
    return start;
  };

  const take = (owner: string): Promise<void> | undefined => {
    if (inFlight < inFlightMax) {
      inFlight += 1;
      return undefined;
    }
    return new Promise((resolve) => {
      waiting.set(owner, [...(waiting.get(owner) ?? []), resolve]);
    });
  };

  const release = (): void => {
    const start = next();
    // Whoever starts takes over the place of the one that has ended.
    if (start === undefined) inFlight -= 1;
    else start();
  };

  return {
    async run(owner, work) {
      await take(owner);
      try {
        return await work();
      } finally {
        release();
      }
    },
  };
}
