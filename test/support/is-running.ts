import { existsSync, readFileSync } from 'node:fs';

/** Whether a process runs. Where nobody collects the orphans of a container, an ended one keeps its number as a zombie. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !existsSync(`/proc/${pid}`) || !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}
