import type { Agent } from '@baton/protocol';
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
    head: ['NAME', 'TYPE', 'STATUS', 'HEALTH', 'FREE', 'CAPABILITIES', 'ID', 'WHY'],
    row: (agent) => [
      agent.name,
      agent.type,
      agent.status,
      agent.health,
      freeSlots(agent),
      agent.capabilities.join(', '),
      agent.id,
      agent.stateReason ?? '',
    ],
    none: 'There are no agents.',
  });
}

/** How many of its slots are free, of how many; of one that is not there, none are. */
export const freeSlots = ({ capacity, running, status }: Pick<Agent, 'capacity' | 'running' | 'status'>): string =>
  status === 'terminated' || status === 'lost' ? '-' : `${Math.max(capacity - running, 0)}/${capacity}`;
