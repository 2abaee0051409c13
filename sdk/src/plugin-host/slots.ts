/** A fixed number of places to run in, taken in the order of asking. */
export interface Slots {
  /** Waits for a place and returns what gives it back. Undefined when the signal aborted before there was one. */
  take(signal: AbortSignal): Promise<(() => void) | undefined>;
}

export function createSlots(count: number): Slots {
  let free = count;
  const waiting: (() => void)[] = [];

  const giveBack = () => {
    const next = waiting.shift();
    if (next === undefined) free += 1;
    else next();
  };
  const place = () => {
    let given = false;
    return () => {
      if (!given) giveBack();
      given = true;
    };
  };

  return {
    take(signal) {
      if (signal.aborted) return Promise.resolve(undefined);
      if (free > 0) {
        free -= 1;
        return Promise.resolve(place());
      }
      return new Promise((resolve) => {
        const enter = () => {
          signal.removeEventListener('abort', leave);
          resolve(place());
        };
        const leave = () => {
          waiting.splice(waiting.indexOf(enter), 1);
          resolve(undefined);
        };
        waiting.push(enter);
        signal.addEventListener('abort', leave, { once: true });
      });
    },
  };
}
