import { type Claim, type Client, type NewArtifact, newArtifact, type NewContextItem } from '@baton/protocol';
import type { AgentLog } from './agent-log.ts';
import { createAttemptLocks } from './attempt-locks.ts';
import { checkResult } from './check-result.ts';
import { createNoteTaker } from './note-taker.ts';
import { clip } from './outcome.ts';
import { createProgressSender } from './progress-sender.ts';
import type { TaskContext } from './task-context.ts';

export interface TaskContextParts {
  readonly claim: Claim;
  readonly client: Client;
  readonly signal: AbortSignal;
  readonly workspace: string | undefined;
  readonly log: AgentLog;
  /** Takes a note as it is made: it is kept where the task's end, or that of its thread, cannot reach it. */
  readonly note: (item: NewContextItem) => void;
}

/** What a task said in its course, to be sent with its completion. */
export interface Gathered {
  readonly summary: string | undefined;
  readonly artifacts: readonly NewArtifact[];
}

export interface AttemptContext {
  readonly ctx: TaskContext;
  readonly gathered: () => Gathered;
  /** The coordinator says that a lock of the session is gone; which attempt held it is not said. */
  readonly loseLock: (key: string, fence: number) => void;
}

/** The same in a worker thread and in the main thread: all that differs is how the client's calls travel. */
export function createTaskContext({ claim, client, signal, workspace, log, note }: TaskContextParts): AttemptContext {
  const { taskId, attempt, ticketId, phase } = claim;
  const artifacts: NewArtifact[] = [];
  let summary: string | undefined;
  const locks = createAttemptLocks({ claim, client, signal });
  const sendProgress = createProgressSender((progress) => client.task.progress({ taskId, attempt, progress }));

  const ctx: TaskContext = {
    signal,
    taskId,
    attempt,
    ticketId,
    phase,
    visit: claim.visit,
    title: claim.title,
    locks: claim.locks,
    workspace,
    client,
    log,
    context: {
      pack: (options = {}) => client.context.get({ ticketId, forPhase: phase, ...options }, { signal }),
      since: (seen, options = {}) => client.context.get({ ticketId, forPhase: phase, ...options, since: seen }, { signal }),
      expand: (citation) => client.context.expand({ ticketId, citation }, { signal }),
    },
    progress: (percentage, message) => sendProgress(percentage, message),
    artifact: (item) => void artifacts.push(checkResult('artifact', newArtifact, item)),
    note: createNoteTaker(note),
    summary: (text) => {
      summary = clip(text, 4_000);
    },
    lock: (keys, options) => locks.acquire(keys, options),
    spawn: async (tasks) =>
      (await client.task.submit({ ticketId, phase, tasks: [...tasks], parent: { taskId, attempt } }, { signal })).tasks,
  };
  return { ctx, gathered: () => ({ summary, artifacts: [...artifacts] }), loseLock: locks.lose };
}
