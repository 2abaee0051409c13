import { execFile } from 'node:child_process';

export interface RunOptions {
  readonly cwd: string;
  readonly signal: AbortSignal;
  /** As long as the task has, unless given. */
  readonly timeoutMs?: number;
  /** SIGTERM unless given: test runners then end the processes that they have started. */
  readonly killSignal?: NodeJS.Signals;
}

export interface ProgramResult {
  /** Undefined where a signal ended it: a time-out, or somebody from outside. */
  readonly exitCode: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
  readonly durationMs: number;
}

const outputBytesMax = 32 * 1_024 * 1_024;

/** Runs a program to its end. Whatever its exit code, that is an answer; only a program that cannot be started throws. */
export function runProgram(
  command: readonly string[],
  { cwd, signal, timeoutMs = 0, killSignal = 'SIGTERM' }: RunOptions,
): Promise<ProgramResult> {
  const [file = '', ...args] = command;
  const startedAt = performance.now();
  return new Promise((resolve, reject) => {
    execFile(file, args, { cwd, signal, timeout: timeoutMs, killSignal, maxBuffer: outputBytesMax }, (error, stdout, stderr) => {
      const durationMs = Math.round(performance.now() - startedAt);
      if (signal.aborted) reject(signal.reason as Error);
      else if (error === null) resolve({ exitCode: 0, stdout, stderr, durationMs });
      else if (typeof error.code === 'string') reject(new Error(`${file} cannot be run: ${error.message}`, { cause: error }));
      else resolve({ exitCode: error.code ?? undefined, stdout, stderr, durationMs });
    });
  });
}

/** The end of what a program printed, where the reason for its end usually stands. */
export const tailOf = (text: string, charactersMax = 2_000): string =>
  text.length <= charactersMax ? text : `…${text.slice(-charactersMax)}`;
