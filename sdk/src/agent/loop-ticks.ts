/**
 * How the main thread's event loop keeps up, as another thread can see it without asking: in memory that both share. Times
 * are `process.hrtime`, which is one clock for all threads of a process.
 */
export type LoopTicks = BigInt64Array<SharedArrayBuffer>;

const cells = { tickedAt: 0, lateUntil: 1, longestDelay: 2, lateMs: 3 } as const;
const perMs = 1_000_000n;

/** The main thread ticks so often in each interval between two beats, within these limits. */
const tickMsOf = (heartbeatMs: number): number => Math.min(Math.max(heartbeatMs / 20, 10), 250);

/** Ticks that begin now, for beats at this interval. A delay of half an interval is one that matters. */
export function createLoopTicks(heartbeatMs: number, now = process.hrtime.bigint()): LoopTicks {
  const ticks = new BigInt64Array(new SharedArrayBuffer(4 * BigInt64Array.BYTES_PER_ELEMENT));
  Atomics.store(ticks, cells.tickedAt, now);
  setPace(ticks, heartbeatMs);
  return ticks;
}

/** Adopts another interval between beats. */
export function setPace(ticks: LoopTicks, heartbeatMs: number): void {
  Atomics.store(ticks, cells.lateMs, BigInt(Math.ceil(heartbeatMs / 2)));
}

/** Says that the event loop runs. To be called by the main thread only. */
export function tick(ticks: LoopTicks, dueMs: number, now = process.hrtime.bigint()): void {
  const delay = now - Atomics.exchange(ticks, cells.tickedAt, now) - toNs(dueMs);
  if (delay > Atomics.load(ticks, cells.longestDelay)) Atomics.store(ticks, cells.longestDelay, delay);
  if (delay > Atomics.load(ticks, cells.lateMs) * perMs) Atomics.store(ticks, cells.lateUntil, now);
}

export interface LoopLag {
  /** The longest time that the event loop has stood still since this was last asked, and still does where it does. */
  readonly lagMs: number;
  /** For how long it has kept up by now: 0 while it stands still. */
  readonly keptUpMs: number;
}

/** What can be said of the event loop now. To be asked by one thread only. */
export function readLoopLag(ticks: LoopTicks, now = process.hrtime.bigint()): LoopLag {
  const standstill = now - Atomics.load(ticks, cells.tickedAt);
  const longest = Atomics.exchange(ticks, cells.longestDelay, 0n);
  const isLate = standstill > Atomics.load(ticks, cells.lateMs) * perMs;
  // What is shorter than a tick cannot be told from the wait for the next.
  const lag = isLate && standstill > longest ? standstill : longest;
  return { lagMs: toMs(lag), keptUpMs: isLate ? 0 : toMs(now - Atomics.load(ticks, cells.lateUntil)) };
}

/** Ticks from here on, as often as the interval between beats demands. Keeps no process alive. */
export function startTicking(ticks: LoopTicks, heartbeatMs: number): { readonly stop: () => void } {
  const everyMs = tickMsOf(heartbeatMs);
  const timer = setInterval(() => tick(ticks, everyMs), everyMs).unref();
  return { stop: () => clearInterval(timer) };
}

const toNs = (ms: number) => BigInt(Math.round(ms * 1_000_000));
const toMs = (ns: bigint) => Number(ns) / 1_000_000;
