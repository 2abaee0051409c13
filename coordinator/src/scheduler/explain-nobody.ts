import type { Obstacle, ObstacleCode } from '@baton/protocol';

interface AgentSaid {
  readonly agentName: string;
  readonly fits: boolean;
  readonly obstacles: readonly Obstacle[];
}

/** Where nothing keeps a task that needs these from everyone, and still nobody would get it: why that is. */
export function explainNobody(capabilities: readonly string[], agents: readonly AgentSaid[]): Obstacle[] {
  const able = agents.filter((agent) => !has(agent, 'capability_missing'));
  if (able.length === 0) {
    return [
      {
        code: 'nobody_offers',
        message: `No agent of the project offers all that it needs: ${capabilities.join(', ')}.`,
        missing: [...capabilities],
      },
    ];
  }
  if (able.some(({ fits }) => fits)) return [{ code: 'nobody_asks', message: 'No call of an agent that could do it waits for work here.' }];
  const allowed = able.filter((agent) => !has(agent, 'excluded_author'));
  if (allowed.length === 0) return [explainAuthors(able)];
  const who = allowed.length === 1 ? 'The one agent that offers what it needs' : `All ${allowed.length} agents that offer what it needs`;
  const but = allowed.length === able.length ? '' : ' and may do it';
  if (!allowed.every((agent) => has(agent, 'agent_lost'))) return [{ code: 'nobody_free', message: `${who}${but} cannot take it now.` }];
  return [{ code: 'nobody_free', message: `${who}${but} ${allowed.length === 1 ? 'is' : 'are'} not there.` }];
}

/** That does not pass by waiting. */
function explainAuthors(authors: readonly AgentSaid[]): Obstacle {
  const [one] = authors;
  const own = one?.obstacles.find(({ code }) => code === 'excluded_author');
  const tasks = own?.tasks === undefined ? {} : { tasks: own.tasks };
  const message =
    authors.length === 1
      ? `The one agent that offers what it needs, ${one?.agentName}, may never do it: it did ${own?.tasks?.map(({ title }) => `"${title}"`).join(', ')}.`
      : `All ${authors.length} agents that offer what it needs may never do it: they did what its doer must not have done.`;
  return { code: 'only_authors', message, ...(authors.length === 1 && tasks) };
}

const has = ({ obstacles }: AgentSaid, wanted: ObstacleCode): boolean => obstacles.some(({ code }) => code === wanted);
