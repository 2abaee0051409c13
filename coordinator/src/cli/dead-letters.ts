import { collectPages, printList, type ReadOptions } from './list.ts';
import type { Shell } from './shell.ts';
import { ask, findTarget } from './target.ts';
import { parseIds } from './parse-ids.ts';

export interface DeadLettersOptions extends ReadOptions {
  readonly ticket?: string;
  readonly code?: string;
}

/** `baton dead-letters`: the tasks that have failed for good, the newest first, and why. */
export async function deadLetters(shell: Shell, { ticket, code, ...options }: DeadLettersOptions): Promise<number> {
  if (ticket !== undefined) parseIds([ticket], { given: '--ticket', of: 'a ticket', listedBy: 'baton tickets' });
  const chosen = { ...(ticket !== undefined && { ticketId: ticket }), ...(code !== undefined && { code }) };
  const list = await ask(await findTarget(options, shell.env), (client) =>
    collectPages(async (page) => {
      const { deadLetters: items, next } = await client.task.deadLetters({ ...page, ...chosen });
      return { items, next };
    }),
  );
  return printList(shell, options, {
    list,
    head: ['ID', 'PHASE', 'TASK', 'ATTEMPTS', 'AGENT', 'FAILED', 'CODE', 'ERROR'],
    row: ({ taskId, phase, visit, title, attempt, maxAttempts, agentName, failedAt, error, isRetryable }) => [
      taskId,
      isRetryable ? `${phase} (${visit})` : `${phase} (${visit}, left)`,
      title,
      `${attempt}/${maxAttempts}`,
      agentName,
      failedAt,
      error.code,
      firstLine(error.message),
    ],
    none: 'No task has failed for good.',
  });
}

const firstLine = (text: string): string => text.split('\n', 1)[0] ?? '';
