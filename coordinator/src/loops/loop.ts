import type { Log } from '../log.ts';

/** Work that is done again and again, one run after the other: at an interval, and at once when poked. */
export interface Loop {
  readonly name: string;
  start(): void;
  /** Runs soon; while a run is under way, once more after it. */
  poke(): void;
  /** One run now, after the one under way; for tests, and for a last run before the end. */
  runOnce(): Promise<void>;
  /** Tells of every run when it has ended. */
  onRun(listener: (run: LoopRun) => void): void;
  /** Aborts the run under way and waits for its end. */
  stop(): Promise<void>;
}

export interface LoopRun {
  readonly durationMs: number;
  readonly hasFailed: boolean;
}

export interface LoopOptions {
  readonly name: string;
  readonly intervalMs: number;
  readonly log: Pick<Log, 'error' | 'warn'>;
  readonly run: (signal: AbortSignal) => Promise<void>;
}

export function createLoop({ name, intervalMs, log, run }: LoopOptions): Loop {
  const stopping = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  let underWay: Promise<void> | undefined;
  let again = false;
  const listeners: ((run: LoopRun) => void)[] = [];

  const once = async (): Promise<void> => {
    const since = performance.now();
    let hasFailed = false;
    try {
      await run(stopping.signal);
    } catch (error) {
      hasFailed = !stopping.signal.aborted;
      // A loop outlives what goes wrong in one run: the next one finds the same work.
      if (hasFailed) log.error({ err: error, loop: name }, 'a loop failed and goes on');
    }
    for (const listener of listeners) listener({ durationMs: performance.now() - since, hasFailed });
  };

  const runAll = async (): Promise<void> => {
    do {
      again = false;
      await once();
    } while (again && !stopping.signal.aborted);
    underWay = undefined;
  };

  const poke = (): void => {
    if (stopping.signal.aborted) return;
    again = true;
    underWay ??= runAll();
  };

  return {
    name,
    start() {
      timer = setInterval(poke, intervalMs);
    },
    poke,
    async runOnce() {
      await underWay;
      await once();
    },
    onRun: (listener) => void listeners.push(listener),
    async stop() {
      clearInterval(timer);
      stopping.abort();
      await underWay;
    },
  };
}
