import type { Claim, Client } from '@baton/protocol';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MessageChannel, receiveMessageOnPort } from 'node:worker_threads';
import { Piscina } from 'piscina';
import type { AttemptContext } from './create-task-context.ts';
import type { AgentDefinition } from './define-agent.ts';
import type { AttemptControl, Executor } from './executor.ts';
import { failedOutcome, type TaskOutcome } from './outcome.ts';
import { runTask } from './run-task.ts';
import { stopInTwoSteps } from './stop-in-two-steps.ts';
import type { ThreadRequest } from './task-thread.ts';
import { type FromThread, openMainEnd, type ToThread } from './thread-port.ts';

/** A thread that has had nothing to do for this long ends. */
const idleThreadMs = 30_000;

export interface TaskExecutorParts {
  readonly agent: AgentDefinition;
  readonly moduleUrl: string;
  readonly capacity: number;
  readonly client: Client;
  readonly workspace: string | undefined;
  readonly onThreadError: (error: Error) => void;
}

/** Does tasks with the code of an agent's module: each in a thread of its own, or in this one where the task is `inline`. */
export function createTaskExecutor({ agent, moduleUrl, capacity, client, workspace, onThreadError }: TaskExecutorParts): Executor {
  const losers = new Set<(key: string, fence: number) => void>();
  let pool: Piscina | undefined;

  const openPool = () => {
    // Beside this file under the same ending: .ts from source, .js in the package. One task a thread, so that an abort stops the
    // right one; without atomics, so that what a task left behind (a socket, a timer) is not frozen.
    const filename = fileURLToPath(new URL(`./task-thread${extname(import.meta.url)}`, import.meta.url));
    const opened = new Piscina({
      filename,
      minThreads: 1,
      maxThreads: capacity,
      concurrentTasksPerWorker: 1,
      idleTimeout: idleThreadMs,
      atomics: 'disabled',
    });
    // A task that ended may have left a promise that rejects later. It costs its thread, not the agent.
    opened.on('error', onThreadError);
    return opened;
  };

  const runThreaded = async (claim: Claim, { signal, graceMs, log, note }: AttemptControl): Promise<TaskOutcome> => {
    const { port1, port2 } = new MessageChannel();
    const take = openMainEnd(port1, { client, log, note });
    const post = (message: ToThread) => port1.postMessage(message);
    const loseLock = (key: string, fence: number) => post({ kind: 'lockLost', key, fence });
    losers.add(loseLock);
    const hard = new AbortController();
    const stop = stopInTwoSteps(signal, graceMs, {
      ask: (reason) => post({ kind: 'abort', reason: reason.reason }),
      force: () => hard.abort(),
    });
    try {
      pool ??= openPool();
      const request: ThreadRequest = { moduleUrl, claim, workspace, port: port2 };
      return (await pool.run(request, { transferList: [port2], signal: hard.signal })) as TaskOutcome;
    } catch (error) {
      if (hard.signal.aborted) return stoppedByForce(graceMs);
      return failedOutcome('thread_failed', `The thread of the task ended: ${error instanceof Error ? error.message : String(error)}`);
    } finally {
      stop();
      losers.delete(loseLock);
      // The outcome travels on a port of its own and may overtake the last notes and lines of the log.
      for (let late = receiveMessageOnPort(port1); late !== undefined; late = receiveMessageOnPort(port1)) take(late.message as FromThread);
      port1.close();
    }
  };

  const runInline = async (claim: Claim, { signal, graceMs, log, note }: AttemptControl): Promise<TaskOutcome> => {
    const { promise: forced, resolve: force } = Promise.withResolvers<TaskOutcome>();
    const stop = stopInTwoSteps(signal, graceMs, { ask: () => undefined, force: () => force(stoppedByForce(graceMs)) });
    let context: AttemptContext | undefined;
    const loseLock = (key: string, fence: number) => context?.loseLock(key, fence);
    losers.add(loseLock);
    try {
      return await Promise.race([
        forced,
        runTask({ tasks: agent.tasks, claim, client, signal, workspace, log, note, onContext: (made) => (context = made) }),
      ]);
    } finally {
      stop();
      losers.delete(loseLock);
    }
  };

  return {
    execute(claim, control) {
      const task = agent.tasks.find(({ type }) => type === claim.type);
      return task === undefined || task.inline ? runInline(claim, control) : runThreaded(claim, control);
    },
    loseLock: (key, fence) => losers.forEach((lose) => lose(key, fence)),
    close: async () => pool?.destroy(),
  };
}

const stoppedByForce = (graceMs: number) =>
  failedOutcome('aborted', `The task did not stop within ${graceMs} ms of being told to, and was stopped by force.`);
