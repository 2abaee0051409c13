import { type ChildProcess, spawn } from 'node:child_process';
import { constants } from 'node:os';
import type { CommandLine } from '../shell.ts';

/** The hidden command that keeps the program of a foreign agent. */
export const keepCommand = 'keep-program';

/** As a shell answers for a program that it does not find. */
const notFoundCode = 127;

/**
 * Runs a program that may know nothing of the process that has started us, and answers its exit code. It is told to stop when
 * we are, ended at our second signal, and with all that it started does not outlive who started us.
 */
export async function keepProgram(
  ipc: NodeJS.Process,
  [program, ...args]: CommandLine,
  { cwd }: { readonly cwd?: string | undefined },
): Promise<number> {
  // In our own process group, which ends as a whole.
  const child = spawn(program, args, { cwd, stdio: ['ignore', 'inherit', 'inherit'] });
  let isTold = false;
  const tell = (signal: NodeJS.Signals) => {
    if (isTold) endGroup(child);
    isTold = true;
    child.kill(signal);
  };
  const abandon = () => endGroup(child);
  ipc.on('SIGTERM', tell);
  ipc.on('SIGINT', tell);
  ipc.once('disconnect', abandon);
  try {
    return await exitCodeOf(child);
  } finally {
    ipc.off('SIGTERM', tell);
    ipc.off('SIGINT', tell);
    // A channel that nobody listens to keeps no process alive.
    ipc.off('disconnect', abandon);
  }
}

function exitCodeOf(child: ChildProcess): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>();
  child.once('error', (error) => {
    if (child.pid !== undefined) return;
    process.stderr.write(`${child.spawnfile} does not start: ${error.message}\n`);
    resolve(notFoundCode);
  });
  child.once('exit', (code, signal) => resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])));
  return promise;
}

/** Ends the program, and where we lead a group of our own, all that it has started, and us. */
function endGroup(child: ChildProcess): void {
  child.kill('SIGKILL');
  try {
    process.kill(-process.pid, 'SIGKILL');
  } catch {
    // We lead no group.
  }
}
