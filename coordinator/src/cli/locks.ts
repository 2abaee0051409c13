import { printList, type ReadOptions } from './list.ts';
import type { Shell } from './shell.ts';
import { ask, findTarget } from './target.ts';

/** `baton locks`: what is held and who waits. */
export async function locks(shell: Shell, options: ReadOptions): Promise<number> {
  const { locks: list } = await ask(await findTarget(options, shell.env), (client) => client.lock.list({ limit: 1_000 }));
  return printList(shell, options, {
    list,
    head: ['KEY', 'FENCE', 'HELD BY', 'WAITING'],
    row: ({ key, fence, holders, waiters }) => [
      key,
      fence,
      holders.map(({ agentName, mode }) => `${agentName} (${mode})`).join(', '),
      waiters.map(({ agentName, taskId, mode }) => `${agentName ?? taskId ?? 'someone'} (${mode})`).join(', '),
    ],
    none: 'No lock is held.',
  });
}
