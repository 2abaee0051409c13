import { type ChildProcess, type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { cutText } from '../connection/storable-text.ts';
import { type GroupGuard, openGroupGuard } from '../plugin/group-guard.ts';

export interface ProgramRun {
  readonly command: readonly [string, ...string[]];
  readonly cwd: string | undefined;
  readonly env: NodeJS.ProcessEnv;
  readonly stdin: string;
  readonly stdoutBytesMax: number;
  readonly onStderrLine: (line: string) => void;
  readonly onStarted: (child: ChildProcess) => void;
}

/** How a program ended. */
export type ProgramEnd =
  | { readonly kind: 'exited'; readonly code: number; readonly stdout: string; readonly stderrTail: string }
  | { readonly kind: 'killed'; readonly signal: NodeJS.Signals; readonly stdout: string; readonly stderrTail: string }
  | { readonly kind: 'notStarted'; readonly message: string }
  | { readonly kind: 'tooMuchOutput' };

/** So much of what a program said at last goes into the error of its task. */
const stderrTailLines = 20;
const stderrLineMax = 400;

/**
 * Runs a program in a process group of its own, so that it can be ended together with all that it starts, and ends with this process,
 * however that ends. Settles when it has ended.
 */
export async function runProgram(run: ProgramRun): Promise<ProgramEnd> {
  let started: Started;
  try {
    started = start(run);
  } catch (error) {
    return { kind: 'notStarted', message: error instanceof Error ? error.message : String(error) };
  }
  run.onStarted(started.child);
  return waitForEnd(started, run);
}

interface Started {
  readonly child: ChildProcessWithoutNullStreams;
  readonly guard: GroupGuard;
}

function start({ command: [program, ...args], cwd, env }: ProgramRun): Started {
  const guard = openGroupGuard();
  try {
    const child = spawn(program, args, { cwd, env, detached: true, stdio: ['pipe', 'pipe', 'pipe'] });
    if (child.pid !== undefined) guard.watch(child.pid);
    return { child, guard };
  } catch (error) {
    guard[Symbol.dispose]();
    throw error;
  }
}

function waitForEnd({ child, guard }: Started, { stdin, stdoutBytesMax, onStderrLine }: ProgramRun): Promise<ProgramEnd> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    child.stdout.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= stdoutBytesMax) chunks.push(chunk);
      else killGroup(child, 'SIGKILL');
    });
    const tail: string[] = [];
    createInterface({ input: child.stderr }).on('line', (line) => {
      const said = cutText(line, stderrLineMax);
      onStderrLine(said);
      tail.push(said);
      if (tail.length > stderrTailLines) tail.shift();
    });
    // A program that does not read its input closes the pipe, and that is its right.
    child.stdin.on('error', () => undefined);
    child.stdin.end(stdin);

    child.once('error', (error) => {
      if (child.pid !== undefined) return;
      guard[Symbol.dispose]();
      resolve({ kind: 'notStarted', message: error.message });
    });
    child.once('exit', () => {
      // What the program left running in its group would keep its pipes open, and would outlive the attempt.
      signalGroup(child, 'SIGKILL');
      // Its number may be given to others, who are not to end with us.
      guard[Symbol.dispose]();
    });
    child.once('close', (code, signal) => {
      const said = { stdout: Buffer.concat(chunks).toString('utf8'), stderrTail: tail.join('\n') };
      if (bytes > stdoutBytesMax) resolve({ kind: 'tooMuchOutput' });
      else if (code !== null) resolve({ kind: 'exited', code, ...said });
      else if (signal !== null) resolve({ kind: 'killed', signal, ...said });
    });
  });
}

/** Signals a program and all that it started, unless it has ended: its group is ended with it, and its number may then be that of others. */
export function killGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.exitCode === null && child.signalCode === null) signalGroup(child, signal);
}

/** A group that is gone is no mistake. */
function signalGroup({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // ESRCH: nobody is left.
  }
}
