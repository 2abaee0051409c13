import { spawn, type ChildProcess } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { type GroupGuard, openGroupGuard } from '@baton/sdk/plugin';
import { type Printed, stdoutBytesMax } from './read-said.ts';

export interface RunProgramOptions {
  readonly cwd: string | undefined;
  readonly env: Readonly<Record<string, string>>;
  readonly input: string | undefined;
  /** Ends the program and all it has started. */
  readonly signal: AbortSignal;
}

export interface ProgramEnd extends Printed {
  readonly succeeded: boolean;
  /** `exit code 1` or `signal SIGSEGV`. */
  readonly how: string;
  readonly stderrTail: string;
}

const tailCharsMax = 2_000;

/**
 * Runs a program to its end, without a shell. Throws when it cannot be started, and the signal's reason when that aborts. The program
 * and all it has started end with this process or this thread, however that ends.
 */
export async function runProgram([program, ...args]: readonly [string, ...string[]], options: RunProgramOptions): Promise<ProgramEnd> {
  const cwd = resolve(options.cwd ?? '.');
  // Node reports a missing folder as a missing program.
  if (!(await isFolder(cwd))) throw new Error(`The folder ${cwd} for ${program} is not there.`);
  options.signal.throwIfAborted();

  using guard = openGroupGuard();
  const child = spawn(program, args, {
    cwd,
    // oxlint-disable-next-line node/no-process-env -- The little that the plugin process has is what programs need to run.
    env: { ...process.env, ...options.env },
    stdio: [options.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    // A group of its own, so that what it starts can be ended with it.
    detached: true,
  });
  if (child.pid !== undefined) guard.watch(child.pid);
  const output = collectOutput(child);
  // Of one that has ended the group is ended already, and its number may have been given to others.
  const kill = () => child.exitCode === null && child.signalCode === null && killGroup(child);
  options.signal.addEventListener('abort', kill, { once: true });
  try {
    const ending = waitForEnd(child, program, guard);
    // A program need not read what it is given: the pipe then breaks, which is no mistake.
    child.stdin?.on('error', () => {}).end(options.input);
    const how = await ending;
    options.signal.throwIfAborted();
    return { succeeded: how === 'exit code 0', how, ...output() };
  } finally {
    options.signal.removeEventListener('abort', kill);
  }
}

function waitForEnd(child: ChildProcess, program: string, guard: GroupGuard): Promise<string> {
  return new Promise((resolve, reject) => {
    child.once('error', (error) => reject(new Error(`${program} cannot be started: ${explain(error)}`, { cause: error })));
    child.once('exit', () => {
      // Something it left running would keep its output open, and the verdict waiting.
      killGroup(child);
      // Its number may be given to others, who are not to end with us.
      guard[Symbol.dispose]();
    });
    child.once('close', (code, signal) => resolve(signal === null ? `exit code ${code}` : `signal ${signal}`));
  });
}

// EACCES is also what is said of a program that is nowhere, where a folder on the PATH may not be read.
const explain = (error: Error) =>
  'code' in error && (error.code === 'ENOENT' || error.code === 'EACCES')
    ? 'there is no such program, or it may not be run.'
    : error.message;

function collectOutput(child: ChildProcess): () => Omit<ProgramEnd, 'succeeded' | 'how'> {
  const chunks: Buffer[] = [];
  let stdoutBytes = 0;
  let stderrTail = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    const roomBytes = stdoutBytesMax - stdoutBytes;
    if (roomBytes > 0) chunks.push(chunk.subarray(0, roomBytes));
    stdoutBytes += chunk.length;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderrTail = (stderrTail + text).slice(-tailCharsMax);
  });
  return () => ({
    stdout: Buffer.concat(chunks).toString('utf8'),
    isCut: stdoutBytes > stdoutBytesMax,
    // The cut may have left half of a character.
    stderrTail: stderrTail.replace(/^\p{Surrogate}/u, ''),
  });
}

/** The group outlives its first process, as long as anything it started runs. */
function killGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

const isFolder = (path: string) =>
  stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
