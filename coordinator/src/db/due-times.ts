/** A timer may fire a little early, and the database's clock decides. */
const timerSlackMs = 5;

/** A timer of Node takes no more: a larger number would fire at once. */
const timerMsMax = 2 ** 31 - 1 - timerSlackMs;

/** Moments at which something is to be done, each once however often it is named. */
export interface DueTimes {
  /** What is further away than a timer reaches is left out. */
  addIn(delayMs: number): void;
  stop(): void;
}

/** Runs `act` at every moment that was added. One timer, for the earliest, whatever their number. */
export function createDueTimes(act: () => void): DueTimes {
  // In ms of the process, the latest first.
  const times: number[] = [];
  let timer: NodeJS.Timeout | undefined;

  const arm = () => {
    clearTimeout(timer);
    const earliest = times.at(-1);
    timer = earliest === undefined ? undefined : setTimeout(fire, Math.max(0, earliest - performance.now()));
  };
  const fire = () => {
    const now = performance.now();
    let isDue = false;
    for (let earliest = times.at(-1); earliest !== undefined && earliest <= now; earliest = times.at(-1)) {
      times.pop();
      isDue = true;
    }
    arm();
    if (isDue) act();
  };

  return {
    addIn(delayMs) {
      if (delayMs > timerMsMax) return;
      const time = Math.ceil(performance.now() + delayMs + timerSlackMs);
      const place = findPlace(times, time);
      if (times[place] === time) return;
      times.splice(place, 0, time);
      if (place === times.length - 1) arm();
    },
    stop() {
      times.length = 0;
      clearTimeout(timer);
    },
  };
}

/** The first place in falling numbers that is not above this one. */
function findPlace(times: readonly number[], time: number): number {
  let [low, high] = [0, times.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((times[middle] ?? 0) > time) low = middle + 1;
    else high = middle;
  }
  return low;
}
