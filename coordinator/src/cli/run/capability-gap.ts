import type { Agent, Task } from '@baton/protocol';
import { covers, uncovered } from '../../agent/capability-rules.ts';

/** A task that is ready and that no living agent can do. */
export interface Gap {
  readonly taskId: string;
  readonly title: string;
  /** What is missing: nobody offers these, or nobody all of them together. */
  readonly missing: readonly string[];
  readonly offeredBy: readonly string[];
}

export interface Look {
  readonly tasks: readonly Pick<Task, 'id' | 'title' | 'state' | 'capabilities'>[];
  readonly agents: readonly Pick<Agent, 'name' | 'capabilities' | 'health' | 'state'>[];
}

/** The ready tasks that wait for an agent which is not there. */
export function findGaps({ tasks, agents }: Look): Gap[] {
  const living = agents.filter(isLiving);
  const offered = living.flatMap(({ capabilities }) => capabilities);
  return tasks
    .filter(({ state, capabilities }) => state === 'ready' && !living.some((agent) => canDo(agent, capabilities)))
    .map(({ id: taskId, title, capabilities }) => {
      const missing = uncovered(offered, capabilities);
      return {
        taskId,
        title,
        missing: missing.length === 0 ? capabilities : missing,
        offeredBy: living.map((agent) => `${agent.name} (${agent.capabilities.join(', ')})`),
      };
    });
}

/** Nothing runs and nothing can: every task that is open waits for an agent which is not there, or for such a task. */
export function isStuck({ tasks, agents }: Look): boolean {
  const living = agents.filter(isLiving);
  const open = tasks.filter(({ state }) => state === 'ready' || state === 'running');
  return (
    open.length > 0 && open.every(({ state, capabilities }) => state === 'ready' && !living.some((agent) => canDo(agent, capabilities)))
  );
}

export const describeGap = ({ title, missing, offeredBy }: Gap): string =>
  `«${title}» waits: no living agent offers ${missing.join(', ')}; ${offeredBy.length === 0 ? 'no agent is there' : `there are ${offeredBy.join(', ')}`}`;

const isLiving = ({ health, state }: Look['agents'][number]): boolean => health !== 'lost' && state === 'active';
const canDo = ({ capabilities }: Look['agents'][number], needed: readonly string[]): boolean => covers(capabilities, needed);
