import type { SearchQuery } from '@baton/protocol';
import { freeSlots } from './agents.ts';
import { printList, type ReadOptions } from './list.ts';
import { printLine, type Shell } from './shell.ts';
import { ask, findTarget } from './target.ts';

export interface AgentsSearchOptions extends ReadOptions {
  readonly tag?: readonly string[];
  readonly type?: string;
  readonly phase?: string;
  readonly text?: string;
  readonly include?: SearchQuery['include'];
  readonly limit?: number;
}

/** `baton agents search`: who fits best, with the parts of the score. */
export async function searchAgents(shell: Shell, capabilities: readonly string[], given: AgentsSearchOptions): Promise<number> {
  const { tag = [], include = [], type, phase, text, limit, ...options } = given;
  const query = {
    capabilities: [...capabilities],
    tags: [...tag],
    include: [...include],
    ...(type !== undefined && { type }),
    ...(phase !== undefined && { phase }),
    ...(text !== undefined && { text }),
    ...(limit !== undefined && { limit }),
  };
  const { agents: list } = await ask(await findTarget(options, shell.env), (client) => client.agent.search(query));
  return printList(shell, options, {
    list,
    head: ['NAME', 'SCORE', 'COVERAGE', 'FREE SHARE', 'HEALTHY', 'CAPACITY', 'STATUS', 'FREE', 'LACKS'],
    row: ({ agent, score, parts, missing }) => [
      agent.name,
      toText(score),
      ...[parts.coverage, parts.freeShare, parts.healthy, parts.capacity].map(toText),
      agent.status,
      freeSlots(agent),
      missing.join(', '),
    ],
    none: `${capabilities.length === 0 ? 'There is no agent that may work and is as asked for' : 'No agent that may work offers any of that'}; --include lost, for one, also finds those that are not there.`,
  });
}

const toText = (part: number): string => part.toFixed(3);

/** `baton agents statistics`: how many there are, by what tells them apart. */
export async function agentStatistics(shell: Shell, { json = false, ...options }: ReadOptions): Promise<number> {
  const figures = await ask(await findTarget(options, shell.env), (client) => client.agent.statistics({}));
  const { total, capacity, free, byStatus, byType, byPhase, byHealth } = figures;
  const lines = [
    `${total === 1 ? 'One agent' : `${total} agents`}; ${free} of the ${capacity} slots of those that may work are free.`,
    ...Object.entries({ status: byStatus, health: byHealth, type: byType, phase: byPhase }).flatMap(([by, counts]) => {
      const some = Object.entries(counts).filter(([, count]) => count > 0);
      return some.length === 0 ? [] : [`by ${by}: ${some.map(([key, count]) => `${count} ${key}`).join(', ')}`];
    }),
  ];
  printLine(shell.stdout, json ? JSON.stringify(figures) : lines.join('\n'));
  return 0;
}
