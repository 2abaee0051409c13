import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { runAgent, type RunAgentOptions } from '@baton/sdk';
import { createLog } from '../../sdk/src/agent/agent-log.ts';
import type { AgentActivity } from '../../sdk/src/agent/serve-agent.ts';
import type { Daemon } from './daemon.ts';
import { createInbox, type Inbox } from './inbox.ts';

const fixture = new URL('../../sdk/src/agent/agent-fixture.ts', import.meta.url);

export interface FixtureAgent extends AsyncDisposable {
  readonly activities: Inbox<AgentActivity>;
  /** What it and its tasks wrote to the log. */
  readonly lines: Inbox<string>;
  drain(): void;
  readonly ended: Promise<void>;
}

/** The fixture agent in this process, registered, with a record of what it does and says. Drains at the end of the block. */
export async function openFixtureAgent(
  { url, token }: Pick<Daemon, 'url' | 'token'>,
  options: RunAgentOptions = {},
): Promise<FixtureAgent> {
  const activities = createInbox<AgentActivity>(({ kind }) => kind);
  const lines = createInbox<string>((line) => line);
  const drain = new AbortController();
  const ended = runAgent(fixture, {
    url,
    ...(options.tokenFile === undefined && { token }),
    name: `fixture-${crypto.randomUUID().slice(0, 8)}`,
    watchProcess: false,
    signal: drain.signal,
    log: createLog((_level, message) => lines.put(message)),
    onActivity: activities.put,
    ...options,
  });
  const settled = ended.catch((error: unknown) => error);
  await Promise.race([activities.waitFor(({ kind }) => kind === 'registered', 'the registration'), ended]);
  const close = async () => {
    drain.abort();
    await settled;
  };
  return { activities, lines, drain: () => drain.abort(), ended, [Symbol.asyncDispose]: close };
}

export interface FixtureProcess extends AsyncDisposable {
  readonly child: ChildProcess;
  /** What it wrote to its standard error. */
  readonly lines: Inbox<string>;
  /** Settles when it is gone and all that it wrote has been read. */
  readonly exited: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
}

export interface FixtureProcessOptions {
  readonly url?: string;
  /** As `baton run` starts it: with a channel to us. */
  readonly isChild?: boolean;
  readonly env?: NodeJS.ProcessEnv;
}

/** The fixture agent as a process of its own, which leads a group: its module runs itself. The group is killed at the end of the block. */
export function startFixtureProcess(daemon: Pick<Daemon, 'url' | 'tokenFile'>, options: FixtureProcessOptions = {}): FixtureProcess {
  const { url = daemon.url, isChild = false, env = {} } = options;
  const child = spawn(process.execPath, ['--conditions=source', fileURLToPath(fixture)], {
    env: { PATH: process.env['PATH'], BATON_URL: url, BATON_TOKEN_FILE: daemon.tokenFile, ...env },
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe', ...(isChild ? (['ipc'] as const) : [])],
  });
  const lines = createInbox<string>((line) => line);
  if (child.stderr === null) throw new Error('The process has no standard error.');
  const reader = createInterface({ input: child.stderr }).on('line', lines.put);
  const exited = Promise.all([once(child, 'exit'), once(reader, 'close')]).then(([[code, signal]]) => ({
    code: code as number | null,
    signal: signal as NodeJS.Signals | null,
  }));
  const close = async () => {
    // With the programs of its tasks, which keep its standard error open.
    if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) process.kill(-child.pid, 'SIGKILL');
    await exited;
  };
  return { child, lines, exited, [Symbol.asyncDispose]: close };
}
