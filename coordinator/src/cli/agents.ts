import { collectPages, printList, type ReadOptions } from './list.ts';
import type { Shell } from './shell.ts';
import { ask, findTarget } from './target.ts';

/** `baton agents`: who is there, what they offer, and how busy they are. */
export async function agents(shell: Shell, { all = false, ...options }: ReadOptions & { readonly all?: boolean }): Promise<number> {
  const list = await ask(await findTarget(options, shell.env), (client) =>
    collectPages(async (page) => {
      const { agents: items, next } = await client.agent.list({ ...page, all });
      return { items, next };
    }),
  );
  return printList(shell, options, {
    list,
    head: ['NAME', 'STATE', 'HEALTH', 'RUNNING', 'CAPABILITIES', 'ID'],
    row: ({ id, name, state, health, running, capacity, capabilities }) => [
      name,
      state,
      health,
      `${running}/${capacity}`,
      capabilities.join(', '),
      id,
    ],
    none: 'There are no agents.',
  });
}
