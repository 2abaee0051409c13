/**
 * Places to run in. Who asks for one says on whose behalf: those wait in the order of asking, and take turns with others. One place
 * more than their number is for whoever has none: however many are asked for on one behalf, the others are not held up by it.
 */
export interface Slots {
  /** Waits for a place and returns what gives it back. Undefined when the signal aborted before there was one. */
  take(behalf: string, signal: AbortSignal): Promise<(() => void) | undefined>;
}

export function createSlots(count: number): Slots {
  let free = count + 1;
  const taken = new Map<string, number>();
  /** Whose turn is next stands first. Nobody stands here without somebody who waits. */
  const lines = new Map<string, (() => void)[]>();

  const mayEnter = (behalf: string) => free > (taken.has(behalf) ? 1 : 0);

  const setLine = (behalf: string, waiting: readonly (() => void)[]) => {
    if (waiting.length > 0) lines.set(behalf, [...waiting]);
    else lines.delete(behalf);
  };
  const callNext = () => {
    const next = [...lines].find(([behalf]) => mayEnter(behalf));
    if (next === undefined) return;
    const [behalf, [enter, ...others]] = next;
    // Who has had a turn stands last.
    lines.delete(behalf);
    setLine(behalf, others);
    enter?.();
    // Where the last on one behalf has left, its own next may enter as well: the place beyond their number is free for it again.
    callNext();
  };

  const place = (behalf: string) => {
    free -= 1;
    taken.set(behalf, (taken.get(behalf) ?? 0) + 1);
    let given = false;
    return () => {
      if (given) return;
      given = true;
      free += 1;
      const left = (taken.get(behalf) ?? 0) - 1;
      if (left > 0) taken.set(behalf, left);
      else taken.delete(behalf);
      callNext();
    };
  };

  return {
    take(behalf, signal) {
      if (signal.aborted) return Promise.resolve(undefined);
      if (mayEnter(behalf)) return Promise.resolve(place(behalf));
      return new Promise((resolve) => {
        const enter = () => {
          signal.removeEventListener('abort', leave);
          resolve(place(behalf));
        };
        const leave = () => {
          setLine(
            behalf,
            (lines.get(behalf) ?? []).filter((one) => one !== enter),
          );
          resolve(undefined);
        };
        setLine(behalf, [...(lines.get(behalf) ?? []), enter]);
        signal.addEventListener('abort', leave, { once: true });
      });
    },
  };
}
