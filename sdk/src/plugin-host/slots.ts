/** A fixed number of places to run in. Who asks for one says on whose behalf: those wait in the order of asking, and take turns with others. */
export interface Slots {
  /** Waits for a place and returns what gives it back. Undefined when the signal aborted before there was one. */
  take(behalf: string, signal: AbortSignal): Promise<(() => void) | undefined>;
}

export function createSlots(count: number): Slots {
  let free = count;
  /** Whose turn is next stands first. Nobody stands here without somebody who waits. */
  const lines = new Map<string, (() => void)[]>();

  const giveBack = () => {
    const [next] = lines;
    if (next === undefined) {
      free += 1;
      return;
    }
    const [behalf, [enter, ...others]] = next;
    lines.delete(behalf);
    if (others.length > 0) lines.set(behalf, others);
    enter?.();
  };
  const place = () => {
    let given = false;
    return () => {
      if (!given) giveBack();
      given = true;
    };
  };

  return {
    take(behalf, signal) {
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
          const others = (lines.get(behalf) ?? []).filter((one) => one !== enter);
          if (others.length > 0) lines.set(behalf, others);
          else lines.delete(behalf);
          resolve(undefined);
        };
        lines.set(behalf, [...(lines.get(behalf) ?? []), enter]);
        signal.addEventListener('abort', leave, { once: true });
      });
    },
  };
}
