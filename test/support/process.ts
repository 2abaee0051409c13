import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';

const root = join(import.meta.dirname, '..', '..');
const main = join(root, 'coordinator', 'src', 'main.ts');

export interface CommandOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
}

export interface CommandResult {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A `baton` command that is under way. */
export interface RunningCommand {
  readonly pid: number;
  readonly child: ChildProcess;
  kill(signal?: NodeJS.Signals): void;
  /** Settles when the process is gone. */
  readonly exited: Promise<CommandResult>;
}

/** Starts a `baton` command as a process of its own. */
export function startBaton(args: readonly string[], { cwd = root, env = {} }: CommandOptions = {}): RunningCommand {
  const child = spawn(process.execPath, ['--conditions=source', main, ...args], {
    cwd,
    env: { ...environment(), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exited = Promise.all([once(child, 'close'), text(child.stdout), text(child.stderr)]).then(([[code, signal], stdout, stderr]) => ({
    code: code as number | null,
    signal: signal as NodeJS.Signals | null,
    stdout,
    stderr,
  }));
  if (child.pid === undefined) throw new Error('The process did not start.');
  return { pid: child.pid, child, kill: (signal = 'SIGTERM') => void child.kill(signal), exited };
}

/** Runs a `baton` command to its end. */
export function spawnBaton(args: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
  return startBaton(args, options).exited;
}

/** The line that `baton up --json` prints when it is ready. */
export interface ReadyLine {
  readonly url: string;
  readonly httpUrl: string;
  readonly tokenFile: string;
  readonly pid: number;
  readonly dataDir: string;
  readonly durability: unknown;
}

export interface SpawnedDaemon extends AsyncDisposable {
  readonly ready: ReadyLine;
  readonly pid: number;
  kill(signal?: NodeJS.Signals): void;
  readonly exited: Promise<CommandResult>;
}

/** Starts the real daemon, `baton up --json`, and waits until it is ready. */
export async function spawnDaemon(args: readonly string[], options: CommandOptions = {}): Promise<SpawnedDaemon> {
  const command = startBaton(['up', '--json', '--port', '0', ...args], options);
  const { child, pid, kill, exited } = command;
  if (child.stdout === null) throw new Error('The process has no output.');

  const firstLine = once(createInterface(child.stdout), 'line') as Promise<[string]>;
  const ready = await Promise.race([
    firstLine.then(([line]) => JSON.parse(line) as ReadyLine),
    exited.then(({ code, stderr }) => Promise.reject(new Error(`baton up ended with ${code}: ${stderr}`))),
  ]);
  const stop = async () => {
    kill('SIGTERM');
    await exited;
  };
  return { ready, pid, kill, exited, [Symbol.asyncDispose]: stop };
}

/** What a program needs of ours, and nothing that would change how Baton is set up. */
function environment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !/^(BATON_|DATABASE_URL$|VITEST|NODE_OPTIONS$)/.test(name));
  return Object.fromEntries(kept);
}
