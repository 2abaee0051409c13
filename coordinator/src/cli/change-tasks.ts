import { type Client, CoordinatorError, type Result } from '@baton/protocol';
import type { ReadOptions } from './list.ts';
import { printLine, type Shell } from './shell.ts';
import { ask, findTarget } from './target.ts';
import { parseIds } from './parse-ids.ts';

export interface RetryOptions extends ReadOptions {
  readonly reason?: string;
}

/** `baton retry`: gives tasks a new life, one after the other. */
export function retry(shell: Shell, ids: readonly string[], { reason, ...options }: RetryOptions): Promise<number> {
  return changeEach(shell, ids, options, {
    change: (client, taskId) => client.task.retry({ taskId, ...(reason !== undefined && { reason }) }),
    tell: ({ taskId, state }) => `${taskId} is ${state} again.`,
    refuse: (taskId, state) =>
      state === 'completed'
        ? 'It is completed, and nothing is left to try again.'
        : `It is ${state}. Only what has failed, was cancelled or was skipped is tried again; \`baton explain ${taskId}\` says how it stands.`,
  });
}

export interface CancelOptions extends RetryOptions {
  /** All that waits for them as well. */
  readonly dependents?: boolean;
  /** What they have submitted as well. */
  readonly children?: boolean;
}

/** `baton cancel`: cancels tasks, one after the other. */
export function cancel(
  shell: Shell,
  ids: readonly string[],
  { reason, dependents = false, children = false, ...options }: CancelOptions,
): Promise<number> {
  return changeEach(shell, ids, options, {
    change: (client, taskId) =>
      client.task.cancel({ taskId, children, dependents: dependents ? 'cancel' : 'skip', ...(reason !== undefined && { reason }) }),
    tell: ({ taskId, cancelledCount }: Result<'task/cancel'>) =>
      cancelledCount > 1 ? `${taskId} is cancelled, and ${cancelledCount - 1} more with it.` : `${taskId} is cancelled.`,
    refuse: (_, state) => `It is ${state}, and nothing is left to cancel.`,
  });
}

interface Change<T> {
  readonly change: (client: Client, taskId: string) => Promise<T>;
  /** What is said of a task that was changed. */
  readonly tell: (result: T) => string;
  /** What is said of a task that is in a state in which this cannot be done. */
  readonly refuse: (taskId: string, state: string) => string;
}

/** Changes one task after the other: one that is refused is told of, and the others are changed all the same. */
async function changeEach<T>(
  shell: Shell,
  ids: readonly string[],
  { json = false, ...options }: ReadOptions,
  { change, tell, refuse }: Change<T>,
) {
  parseIds(ids, { given: 'TASK', of: 'a task', listedBy: 'baton tasks' });
  const outcomes = await ask(await findTarget(options, shell.env), async (client) => {
    const outcomes: { taskId: string; result?: T; refused?: CoordinatorError }[] = [];
    for (const taskId of ids) outcomes.push({ taskId, ...(await changeOne(() => change(client, taskId))) });
    return outcomes;
  });
  const say = ({ kind, data, message }: CoordinatorError): string => {
    if (kind === 'phase_closed') return `The ticket has left its phase, ${String(data['phase'])}. Submit it anew in the phase of now.`;
    // Where there is more to it than its own state, the coordinator says so.
    if (kind !== 'task_state_refused' || data['message'] !== undefined) return message;
    return refuse(String(data['taskId']), String(data['state']));
  };
  if (json) {
    const told = outcomes.map(
      ({ taskId, result, refused }) => result ?? { taskId, error: { kind: refused?.kind, message: refused && say(refused) } },
    );
    printLine(shell.stdout, JSON.stringify(told));
  }
  for (const { taskId, result, refused } of outcomes) {
    if (refused !== undefined) printLine(shell.stderr, `${taskId}: ${say(refused)}`);
    else if (result !== undefined && !json) printLine(shell.stdout, tell(result));
  }
  return outcomes.some(({ refused }) => refused !== undefined) ? 1 : 0;
}

/** Refusals that are about this one task; whatever would meet all of them ends the command. */
const aboutOne = ['task_not_found', 'task_state_refused', 'phase_closed'];

async function changeOne<T>(change: () => Promise<T>): Promise<{ result: T } | { refused: CoordinatorError }> {
  try {
    return { result: await change() };
  } catch (error) {
    if (error instanceof CoordinatorError && aboutOne.includes(error.kind)) return { refused: error };
    throw error;
  }
}
