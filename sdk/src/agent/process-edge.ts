import { constants } from 'node:os';
import type { AgentLog } from './agent-log.ts';

export interface ProcessWatch {
  readonly log: AgentLog;
  /** The first signal: finish what runs, then leave. */
  readonly drain: () => void;
  /** The parent process is gone: stop everything. The process ends when this settles. */
  readonly abandon: () => Promise<void>;
}

/** How long a drained process may take to end by itself: a task may have left something behind that keeps it. */
const lingerMs = 1_000;

/**
 * Ties an agent to its process. SIGTERM and SIGINT drain it, and a second one ends the process at once. Where the process was
 * started with a channel to its parent, the end of the parent is the end of the agent and of all that it started. SIGUSR1 opens no
 * inspector from then on: to debug an agent, start it with `--inspect`.
 */
export function watchProcess({ log, drain, abandon }: ProcessWatch): Disposable {
  let signalled = false;

  const onSignal = (signal: NodeJS.Signals) => {
    if (signalled) process.exit(128 + constants.signals[signal]);
    signalled = true;
    log.info(`${signal}: finishing what runs; a second one ends at once`);
    drain();
  };
  const onDisconnect = () => {
    void abandon().finally(() => {
      killOwnGroup();
      process.exit(1);
    });
  };

  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
  // Without a listener it opens Node's inspector, and whoever has the same user can send it: a plugin of the coordinator, for one.
  if (process.listenerCount('SIGUSR1') === 0) process.on('SIGUSR1', () => {});
  if (process.send !== undefined) {
    if (process.connected) process.once('disconnect', onDisconnect);
    else onDisconnect();
  }
  return {
    [Symbol.dispose]() {
      process.off('SIGTERM', onSignal);
      process.off('SIGINT', onSignal);
      process.off('disconnect', onDisconnect);
      if (signalled) setTimeout(() => process.exit(), lingerMs).unref();
    },
  };
}

// A parent that starts agents as leaders of groups of their own lets them take along, at the end, what their tasks started. A
// group with our number exists only where we lead it: without one nothing is killed.
function killOwnGroup(): void {
  try {
    process.kill(-process.pid, 'SIGKILL');
  } catch {
    // We lead no group.
  }
}
