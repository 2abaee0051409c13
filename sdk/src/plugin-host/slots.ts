/**
 * Places to run in. Who asks for one says on whose behalf: those take turns with others, and among them those of each group with those
 * of other groups; in a group they wait in the order of asking. One place more than their number is for whoever has none: however many
 * are asked for on one behalf, the others are not held up by it. How many may wait is for those to bound who ask.
 */
export interface Slots {
  /** Waits for a place and returns what gives it back. Undefined when the signal aborted before there was one. */
  take(behalf: string, signal: AbortSignal, group?: string): Promise<(() => void) | undefined>;
}

export function createSlots(count: number): Slots {
  let free = count + 1;
  const taken = new Map<string, number>();
  /** By behalf and group. Whose turn is next stands first. Nobody stands here without somebody who waits. */
  const lines = new Map<string, Map<string, readonly (() => void)[]>>();

  const mayEnter = (behalf: string) => free > (taken.has(behalf) ? 1 : 0);

  const joinLine = (behalf: string, group: string, enter: () => void) => {
    const groups = lines.get(behalf) ?? new Map<string, readonly (() => void)[]>();
    lines.set(behalf, groups.set(group, [...(groups.get(group) ?? []), enter]));
  };
  const leaveLine = (behalf: string, group: string, enter: () => void) => {
    const groups = lines.get(behalf);
    const others = groups?.get(group)?.filter((one) => one !== enter) ?? [];
    if (others.length > 0) groups?.set(group, others);
    else groups?.delete(group);
    if (groups?.size === 0) lines.delete(behalf);
  };
  const callNext = () => {
    const next = [...lines].find(([behalf]) => mayEnter(behalf));
    const [turn] = next?.[1] ?? [];
    if (next === undefined || turn === undefined) return;
    const [behalf, groups] = next;
    const [group, [enter, ...others]] = turn;
    // Who has had a turn stands last.
    groups.delete(group);
    if (others.length > 0) groups.set(group, others);
    lines.delete(behalf);
    if (groups.size > 0) lines.set(behalf, groups);
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
    take(behalf, signal, group = '') {
      if (signal.aborted) return Promise.resolve(undefined);
      if (mayEnter(behalf)) return Promise.resolve(place(behalf));
      return new Promise((resolve) => {
        const enter = () => {
          signal.removeEventListener('abort', leave);
          resolve(place(behalf));
        };
        const leave = () => {
          leaveLine(behalf, group, enter);
          resolve(undefined);
        };
        joinLine(behalf, group, enter);
        signal.addEventListener('abort', leave, { once: true });
      });
    },
  };
}
