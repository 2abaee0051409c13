import { spawn } from 'node:child_process';

export interface GroupGuard {
  /** Names the process group that is to end with us. */
  watch(group: number): void;
  /** Stops watching. */
  [Symbol.dispose](): void;
}

// It reads until we are gone, however we went, and is in a group of its own: what ends ours does not end it.
const script = 'read -r group && { read -r end; kill -KILL "-$group"; }';

/**
 * Watches over a process group from another process: when this process or this thread is gone, be it by SIGKILL, the group is killed.
 * To be opened before the group is there, so that there is hardly a moment without it. What leaves its group is not watched over.
 * @throws where there is no shell
 */
export function openGroupGuard(): GroupGuard {
  const shell = spawn('sh', ['-c', script], { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
  // Its pipe is broken where it has ended before us.
  shell.stdin.on('error', () => {});
  shell.on('error', () => {});
  if (shell.pid === undefined) throw new Error('No program can be run: there is no sh on the PATH, which is to end it if nobody else can.');
  return {
    watch: (group) => void shell.stdin.write(`${group}\n`),
    [Symbol.dispose]: () => void shell.kill('SIGKILL'),
  };
}
