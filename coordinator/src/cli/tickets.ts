import { collectPages, printList, type ReadOptions } from './list.ts';
import type { Shell } from './shell.ts';
import { ask, findTarget } from './target.ts';

/** `baton tickets`: the tickets, newest first. */
export async function tickets(shell: Shell, options: ReadOptions): Promise<number> {
  const list = await ask(await findTarget(options, shell.env), (client) =>
    collectPages(async (page) => {
      const { tickets: items, next } = await client.ticket.list(page);
      return { items, next };
    }),
  );
  return printList(shell, options, {
    list,
    head: ['ID', 'TITLE', 'PRIORITY', 'WORKFLOW', 'PHASE', 'VISIT', 'STATE'],
    row: ({ id, title, priority, workflow, phase, visit, state, blockedReason }) => [
      id,
      title,
      priority,
      `${workflow.name}@${workflow.version}`,
      phase,
      visit,
      blockedReason === undefined ? state : `${state}: ${blockedReason}`,
    ],
    none: 'There are no tickets.',
  });
}
