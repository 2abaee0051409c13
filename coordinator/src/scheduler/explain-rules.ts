import type { Obstacle, ObstacleCode } from '@baton/protocol';
import { otherVersions, uncovered } from '../agent/capability-rules.ts';
import { formatDuration } from '../duration.ts';
import { listAgentObstacles, listFitObstacles, type Seeker } from '../task/match-rules.ts';
import type { AgentRowFacts, AuthorTask, NamedTask, TaskFacts } from './explain.store.ts';

export interface TakenLock {
  readonly key: string;
  /** By name. */
  readonly holders: readonly string[];
}

/** What the sentences need beside the facts of a task. */
export interface TaskCircumstances {
  readonly dependencies: readonly NamedTask[];
  /** The lock that it cannot have, and who holds it. */
  readonly takenLock: TakenLock | undefined;
}

/** What keeps a task from everyone. One that may be handed out now has none. */
export function explainTask(task: TaskFacts, { dependencies, takenLock }: TaskCircumstances): Obstacle[] {
  const { state, isPhaseOpen, phase, runInMs, agentName, reason } = task;
  const because = reason === null ? '.' : `: ${toSentence(reason)}`;
  const remedy = isPhaseOpen
    ? `\`baton retry ${task.taskId}\` gives it a new life.`
    : `The phase ${phase} has been left, so that it stays so.`;
  switch (state) {
    case 'running':
      return [{ code: 'task_running', message: `It runs: ${agentName ?? 'an agent'} has it.`, ...(agentName !== null && { agentName }) }];
    case 'completed':
      return [{ code: 'task_completed', message: agentName === null ? 'It is done.' : `It was done by ${agentName}.` }];
    case 'failed':
      return [{ code: 'task_failed', message: `It has failed for good${because} ${remedy}` }];
    case 'cancelled':
      return [{ code: 'task_cancelled', message: `It was cancelled${because}${isPhaseOpen ? ` ${remedy}` : ''}` }];
    case 'skipped':
      return [{ code: 'task_skipped', message: `It was skipped${because}${isPhaseOpen ? ` ${remedy}` : ''}` }];
    case 'blocked':
      return [{ code: 'dependencies_pending', message: `It waits for ${nameTasks(dependencies)}.`, tasks: dependencies.map(toName) }];
    case 'ready':
      return [
        ...(isPhaseOpen ? [] : [{ code: 'phase_closed', message: `The phase ${phase} has been left.` } as const]),
        ...(takenLock === undefined ? [] : [explainLock(takenLock)]),
        ...(runInMs <= 0
          ? []
          : [{ code: 'not_due', message: `It may run in ${formatDuration(runInMs)}.`, inMs: Math.round(runInMs) } as const]),
      ];
    default:
      return state satisfies never;
  }
}

const explainLock = ({ key, holders }: TakenLock): Obstacle => ({
  code: 'lock_taken',
  message: `It waits for the lock ${key}${holders.length === 0 ? '' : `, which ${holders.join(', ')} ${holders.length === 1 ? 'has' : 'have'}`}.`,
  key,
  holders: [...holders],
});

/** Whom a task is kept for, which is an obstacle to everyone else. */
export const explainReservation = ({ reservedForName, reservedInMs }: TaskFacts): Obstacle[] =>
  reservedForName === null || reservedInMs === null
    ? []
    : [
        {
          code: 'reserved',
          message: `It is kept for ${reservedForName} for another ${formatDuration(reservedInMs)}.`,
          agentName: reservedForName,
          inMs: Math.round(reservedInMs),
        },
      ];

/** How long a session may be silent before it is worth a word: two beats. */
export interface Silence {
  readonly staleMs: number;
}

/** What keeps an agent from everything. By the rule by which tasks are handed out. */
export const explainAgent = (agent: AgentRowFacts, { staleMs }: Silence): Obstacle[] => [
  ...listAgentObstacles(agent).map((code) => ({ code, message: sayOfAgent(code, agent) })),
  ...(agent.living && agent.silenceMs !== null && agent.silenceMs >= staleMs
    ? [
        {
          code: 'agent_stale',
          message: `It has been silent for ${formatDuration(agent.silenceMs)}.`,
          inMs: Math.round(agent.silenceMs),
        } as const,
      ]
    : []),
];

function sayOfAgent(code: ObstacleCode, { running, capacity, state, stateReason }: AgentRowFacts): string {
  const because = stateReason === null ? '.' : `: ${toSentence(stateReason)}`;
  switch (code) {
    case 'agent_draining':
      return `It takes nothing new and leaves${because}`;
    case 'agent_maintenance':
      return `It is in maintenance${because}`;
    case 'agent_quarantined':
      return `It is in quarantine${because}`;
    case 'agent_terminated':
      return `It was terminated${because}`;
    case 'agent_unavailable':
      // The reason of an agent that was put aside is that of its being put aside.
      return state === 'active' ? `It was set to take no work now${because}` : 'It was set to take no work now.';
    case 'agent_lost':
      return 'It has no session whose lease runs.';
    case 'no_free_slot':
      return `It has no free slot: it runs ${running} of ${capacity}.`;
    default:
      return code;
  }
}

/** What keeps a task from an agent. By the rule by which tasks are handed out. */
export function explainFit(agent: AgentRowFacts, task: TaskFacts, authorTasks: readonly AuthorTask[]): Obstacle[] {
  return listFitObstacles(agent, task).map((code) => {
    switch (code) {
      case 'capability_missing': {
        const missing = uncovered(agent.capabilities, task.capabilities);
        const others = otherVersions(agent.capabilities, missing);
        const but = others.length === 0 ? '' : `, but has ${others.join(', ')}`;
        return { code, message: `It does not offer ${missing.join(', ')}${but}.`, missing };
      }
      case 'excluded_author': {
        const own = authorTasks.filter(({ forTaskId, agentId }) => forTaskId === task.taskId && agentId === agent.agentId);
        return { code, message: `It did ${nameTasks(own)}, whose author may not do this.`, tasks: own.map(toName) };
      }
      case 'reserved_for_other':
        return {
          code,
          message: `It is kept for ${task.reservedForName ?? 'another'}.`,
          ...(task.reservedForName !== null && { agentName: task.reservedForName }),
        };
      default:
        return { code, message: code };
    }
  });
}

/** Remarks that keep nobody from anything. */
const remarks: ReadonlySet<ObstacleCode> = new Set(['agent_stale', 'not_asking']);

export const isFit = (obstacles: readonly Obstacle[]): boolean => obstacles.every(({ code }) => remarks.has(code));

export const notAsking: Obstacle = { code: 'not_asking', message: 'It could do it, but no call of it waits for work here.' };

/** An agent whose call waits for work, as the matching sees it: what keeps it from everything leaves it out. */
export function toSeeker(agent: AgentRowFacts): Seeker[] {
  const { sessionId, agentId, agentName, capabilities, capacity, running } = agent;
  if (sessionId === null || listAgentObstacles(agent).length > 0) return [];
  return [{ sessionId, agentId, agentName, capabilities, capacity, free: capacity - running, wanted: 1 }];
}

const toName = ({ taskId, title, state }: NamedTask): NamedTask => ({ taskId, title, state });

/** So many are named in a sentence; the data names all. */
const namedMax = 3;

function nameTasks(tasks: readonly NamedTask[]): string {
  const named = tasks.slice(0, namedMax).map(({ title, state }) => `"${title}" (${state})`);
  const more = tasks.length - named.length;
  return named.join(', ') + (more > 0 ? ` and ${more} more` : '');
}

/** What somebody gave as a reason, whether or not it ends like a sentence. */
const toSentence = (text: string): string => (/[.!?…]$/.test(text.trimEnd()) ? text.trimEnd() : `${text.trimEnd()}.`);
