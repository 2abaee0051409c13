import type { Task, TaskState } from '@baton/protocol';
import { formatDuration } from '../duration.ts';
import { parseIds } from './parse-ids.ts';
import { collectPages, printList, type ReadOptions } from './list.ts';
import type { Shell } from './shell.ts';
import { ask, findTarget } from './target.ts';

export interface TasksOptions extends ReadOptions {
  readonly ticket?: string;
  readonly state?: readonly TaskState[];
}

/** `baton tasks`: the tasks of a ticket, or of all tickets, in the order of their submission. */
export async function tasks(shell: Shell, { ticket, state, ...options }: TasksOptions): Promise<number> {
  if (ticket !== undefined) parseIds([ticket], { given: '--ticket', of: 'a ticket', listedBy: 'baton tickets' });
  const chosen = { ...(ticket !== undefined && { ticketId: ticket }), ...(state !== undefined && { states: [...state] }) };
  const list = await ask(await findTarget(options, shell.env), (client) =>
    collectPages(async (page) => {
      const { tasks: items, next } = await client.task.list({ ...page, ...chosen });
      return { items, next };
    }),
  );
  return printList(shell, options, {
    list,
    head: ['ID', 'PHASE', 'TASK', 'STATE', 'ATTEMPT', 'AGENT', 'NOTE'],
    row: (task) => [
      task.id,
      `${task.phase} (${task.visit})`,
      task.title,
      task.state,
      `${task.attempt}/${task.maxAttempts}`,
      task.agentName ?? '',
      describe(task),
    ],
    none: state === undefined ? 'There are no tasks.' : `No task is ${state.join(' or ')}.`,
  });
}

/** What it waits for, and what there is to say of it beside. */
function describe({ runInMs, waitingForKey, error, reason, summary }: Task): string {
  const said = error?.message ?? reason ?? summary ?? '';
  if (runInMs !== undefined) return `may run in ${formatDuration(runInMs)}${said === '' ? '' : `: ${said}`}`;
  return waitingForKey === undefined ? said : `waits for ${waitingForKey}`;
}
