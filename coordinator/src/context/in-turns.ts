import { setImmediate as nextTurn } from 'node:timers/promises';

/** As long work may go on before others are served: a heartbeat or a claim waits no longer than that for a large pack. */
const turnMs = 20;

/** Lets others be served before what comes next, which takes its time and cannot be divided. */
export const giveWay = (): Promise<unknown> => nextTurn();

/** Does something for each, in order, and lets others be served before and in between. */
export async function forEachInTurns<T>(all: Iterable<T>, act: (each: T) => void): Promise<void> {
  let turnEndsAt = 0;
  for (const each of all) {
    if (performance.now() >= turnEndsAt) {
      await nextTurn();
      turnEndsAt = performance.now() + turnMs;
    }
    act(each);
  }
}
