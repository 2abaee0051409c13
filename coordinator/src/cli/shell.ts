import { showControls } from './show-controls.ts';

/** A program and the arguments that come before one's own. */
export type CommandLine = readonly [string, ...string[]];

/** What a command may use of the process it runs in. Given by `main.ts`, so that commands run in tests without one. */
export interface Shell {
  readonly env: NodeJS.ProcessEnv;
  readonly stdout: NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number };
  readonly stderr: NodeJS.WritableStream;
  /** Starts this program again: the same Node with the same options, and `main`. */
  readonly self: CommandLine;
  /** Calls the listener at each SIGINT and SIGTERM, instead of ending. Returns how to stop that. */
  onInterrupt(listener: (signal: 'SIGINT' | 'SIGTERM') => void): () => void;
  /** Ends the process, whatever is under way. */
  exitNow(exitCode: number): void;
}

/** A command that cannot go on, for a person to read. The exit code is 1, or 2 for what the user wrote wrongly. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly exitCode: number;

  constructor(message: string, { exitCode = 1, cause }: { exitCode?: number; cause?: unknown } = {}) {
    super(message, { cause });
    this.exitCode = exitCode;
  }
}

/** Resolves at the first SIGINT or SIGTERM. */
export function interrupted(shell: Shell): Promise<'SIGINT' | 'SIGTERM'> {
  const { promise, resolve } = Promise.withResolvers<'SIGINT' | 'SIGTERM'>();
  const stop = shell.onInterrupt((signal) => {
    stop();
    resolve(signal);
  });
  return promise;
}

/** Prints what agents, plugins and others wrote too, and so nothing that a terminal would obey. */
export const printLine = (stream: NodeJS.WritableStream, text: string): void => void stream.write(`${showControls(text)}\n`);
