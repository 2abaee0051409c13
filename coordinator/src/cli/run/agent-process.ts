import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { CommandLine } from '../shell.ts';

/** A program to keep running. */
export interface AgentStart {
  readonly name: string;
  readonly command: CommandLine;
  readonly env: NodeJS.ProcessEnv;
}

export interface AgentListeners {
  /** A line that the agent wrote to its standard output or error. */
  readonly onLine: (name: string, text: string) => void;
  /** It ended without being told to. */
  readonly onEnd: (name: string, ending: string, restartInMs: number | undefined) => void;
}

export interface AgentProcess {
  readonly name: string;
  readonly restarts: number;
  /** It runs, or will be started again. */
  readonly isAlive: boolean;
  /** Tells it to stop, again after a while, and ends it in the end. Settles when it is gone. */
  stop(): Promise<void>;
  /** Ends it at once. */
  kill(): void;
}

/** An agent that dies again and again has a reason that does not pass; one that lived this long has not died of the last one. */
const restartsMax = 3;
const restartBaseMs = 500;
const soundMs = 30_000;

/** A running task may finish until the first; at the second the agent ends with what it started; at the third the system ends it. */
const stopSteps = { tellAgainMs: 3_500, killMs: 5_000 };

/**
 * Starts an agent and keeps it running: one that ends unexpectedly is started again a few times. It leads a process group of
 * its own, out of reach of the terminal's Ctrl-C, and notices through its channel when we die.
 */
export function startAgentProcess(start: AgentStart, listeners: AgentListeners): AgentProcess {
  let child: ChildProcess | undefined;
  let gone = Promise.withResolvers<void>();
  let timer: NodeJS.Timeout | undefined;
  let restarts = 0;
  let failures = 0;
  let isStopping = false;

  function run(): void {
    const startedAt = performance.now();
    gone = Promise.withResolvers<void>();
    child = launch(start, listeners);
    const over = (ending: string) => {
      if (child?.pid !== undefined) killGroup(child.pid);
      child = undefined;
      gone.resolve();
      if (!isStopping) retry(ending, performance.now() - startedAt);
    };
    child.once('error', (error) => child?.pid === undefined && over(error.message));
    child.once('exit', (code, signal) => over(signal ?? `exit code ${code}`));
  }

  function retry(ending: string, livedMs: number): void {
    failures = livedMs > soundMs ? 1 : failures + 1;
    const delayMs = failures > restartsMax ? undefined : restartBaseMs * 2 ** (failures - 1);
    listeners.onEnd(start.name, ending, delayMs);
    if (delayMs === undefined) return;
    restarts += 1;
    timer = setTimeout(() => {
      timer = undefined;
      run();
    }, delayMs);
  }

  run();
  return {
    name: start.name,
    get restarts() {
      return restarts;
    },
    get isAlive() {
      return child !== undefined || timer !== undefined;
    },
    async stop() {
      isStopping = true;
      clearTimeout(timer);
      timer = undefined;
      if (child === undefined) return;
      const told = child;
      told.kill('SIGTERM');
      const again = setTimeout(() => told.kill('SIGTERM'), stopSteps.tellAgainMs);
      const last = setTimeout(() => told.pid !== undefined && killGroup(told.pid), stopSteps.killMs);
      await gone.promise;
      clearTimeout(again);
      clearTimeout(last);
    },
    kill() {
      isStopping = true;
      clearTimeout(timer);
      timer = undefined;
      // Twice: at the second signal an agent ends at once, and takes along what it has started.
      child?.kill('SIGTERM');
      child?.kill('SIGTERM');
    },
  };
}

function launch({ name, command: [program, ...args], env }: AgentStart, { onLine }: AgentListeners): ChildProcess {
  const child = spawn(program, args, { env, detached: true, stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
  for (const stream of [child.stdout, child.stderr]) {
    if (stream !== null) createInterface({ input: stream }).on('line', (line) => onLine(name, line));
  }
  return child;
}

/** Ends a process group: the leader, or what it has left behind. */
function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // Nothing is left of it.
  }
}
