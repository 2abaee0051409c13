import { readFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';

/** Milliseconds of the machine's monotonic clock, which all its processes share and nothing sets back. */
export const nowMs = (): number => Number(process.hrtime.bigint()) / 1e6;

/** How long the processor has worked for a process, in seconds; undefined where the system does not tell. */
export function cpuSecondsOf(pid: number): number | undefined {
  if (process.platform !== 'linux') return undefined;
  // The name of the program comes second, in brackets, and may hold anything.
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond();
}

let ticks: number | undefined;
const ticksPerSecond = (): number => (ticks ??= Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' })));

/** Begins to measure how many processors a process keeps busy; what it returns ends it. */
export function watchCores(pid: number): () => number | undefined {
  const since = nowMs();
  const before = cpuSecondsOf(pid);
  return () => {
    const after = cpuSecondsOf(pid);
    return before === undefined || after === undefined ? undefined : ((after - before) * 1_000) / (nowMs() - since);
  };
}
