import { parseIds } from './parse-ids.ts';
import { collectPages, printList, type ReadOptions } from './list.ts';
import type { Shell } from './shell.ts';
import { ask, findTarget } from './target.ts';

/** `baton tasks`: the tasks of a ticket, or of all tickets, in the order of their submission. */
export async function tasks(shell: Shell, { ticket, ...options }: ReadOptions & { readonly ticket?: string }): Promise<number> {
  if (ticket !== undefined) parseIds([ticket], { given: '--ticket', of: 'a ticket', listedBy: 'baton tickets' });
  const list = await ask(await findTarget(options, shell.env), (client) =>
    collectPages(async (page) => {
      const { tasks: items, next } = await client.task.list({ ...page, ...(ticket === undefined ? {} : { ticketId: ticket }) });
      return { items, next };
    }),
  );
  return printList(shell, options, {
    list,
    head: ['ID', 'PHASE', 'TASK', 'STATE', 'ATTEMPT', 'AGENT', 'NOTE'],
    row: ({ id, phase, visit, title, state, attempt, maxAttempts, agentName = '', waitingForKey, error, reason, summary }) => [
      id,
      `${phase} (${visit})`,
      title,
      state,
      `${attempt}/${maxAttempts}`,
      agentName,
      waitingForKey === undefined ? (error?.message ?? reason ?? summary ?? '') : `waits for ${waitingForKey}`,
    ],
    none: 'There are no tasks.',
  });
}
