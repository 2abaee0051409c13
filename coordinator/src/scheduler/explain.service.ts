import type { Explanation, Obstacle } from '@baton/protocol';
import type { Liveness } from '../agent/agent.store.ts';
import { covers, namesOf } from '../agent/capability-rules.ts';
import type { EntityManager } from '../db/orm.ts';
import { bestSeeker, type Seeker, serveSets } from '../task/match-rules.ts';
import { listCoveredSets } from '../task/match.store.ts';
import { explainNobody } from './explain-nobody.ts';
import { explainAgent, explainFit, explainReservation, explainTask, isFit, notAsking, toSeeker } from './explain-rules.ts';
import {
  type AgentRowFacts,
  getAgentFacts,
  getTaskFacts,
  listAgentFacts,
  listAgentsOfSessions,
  listAuthorTasks,
  listPendingDependencies,
  listReadyFacts,
  type TaskFacts,
} from './explain.store.ts';
import { findTakenLocks } from './taken-locks.ts';

export interface ExplainParts {
  readonly liveness: Liveness;
  /** The sessions of which a call waits for work at this coordinator. */
  readonly listWaitingSessions: () => readonly string[];
}

export interface ExplainQuery {
  readonly projectId: string;
  readonly limit: number;
}

/** How many agents are looked at; those that come closest are told of. */
const agentsMax = 1_000;

/** Why a task does not run, and each agent with why it does not get it. */
export async function explainTaskById(
  em: EntityManager,
  parts: ExplainParts,
  { projectId, limit, taskId }: ExplainQuery & { readonly taskId: string },
): Promise<Explanation> {
  const task = await getTaskFacts(em, projectId, taskId);
  const takenLock = (await findTakenLocks(em, projectId, [task])).get(taskId);
  const itsOwn = explainTask(task, {
    dependencies: task.state === 'blocked' ? await listPendingDependencies(em, taskId) : [],
    takenLock,
  });
  const obstacles = [...itsOwn, ...(task.state === 'ready' ? explainReservation(task) : [])];
  // What has begun or ended is nobody's any more.
  if (task.state !== 'ready' && task.state !== 'blocked') return { summary: summarise(task, obstacles), obstacles, agents: [], omitted: 0 };

  const found = await listAgentFacts(em, { projectId, names: namesOf(task.capabilities), limit: agentsMax });
  const rows = found.filter((row) => mayMatter(row, task)).map((row) => withSilence(row, parts.liveness));
  const authorTasks = await listAuthorTasks(em, [taskId]);
  const asking = await listSeekers(em, parts, projectId);
  const next = task.isClaimable && takenLock === undefined ? bestSeeker(asking, task) : undefined;
  const askingIds = new Set(asking.map(({ agentId }) => agentId));
  const agents = rows.map((agent) => {
    const between = [...explainAgent(agent, silenceOf(parts)), ...explainFit(agent, task, authorTasks)];
    const fits = isFit(between);
    return {
      agentId: agent.agentId,
      agentName: agent.agentName,
      fits,
      isNext: agent.agentId === next?.agentId,
      obstacles: fits && !askingIds.has(agent.agentId) ? [...between, notAsking] : between,
    };
  });
  const all = [
    ...obstacles,
    ...(task.isClaimable && takenLock === undefined && next === undefined ? explainNobody(task.capabilities, agents) : []),
  ];
  const shown = agents.toSorted((a, b) => a.obstacles.length - b.obstacles.length || Number(b.isNext) - Number(a.isNext)).slice(0, limit);
  return {
    summary: summarise(task, all, next),
    obstacles: all,
    agents: shown,
    omitted: Math.max(0, (found[0]?.total ?? 0) - shown.length),
  };
}

/** Why an agent is given nothing, and the tasks that wait with why it does not get them. */
export async function explainAgentById(
  em: EntityManager,
  parts: ExplainParts,
  { projectId, limit, agentId }: ExplainQuery & { readonly agentId: string },
): Promise<Explanation> {
  const agent = withSilence(await getAgentFacts(em, projectId, agentId), parts.liveness);
  const asking = await listSeekers(em, parts, projectId);
  const own = explainAgent(agent, silenceOf(parts));
  const isAsking = asking.some((seeker) => seeker.agentId === agentId);
  const covered = serveSets(await listCoveredSets(em, projectId, namesOf(agent.capabilities)), [agent]);
  const rows = await listReadyFacts(em, { projectId, setIds: covered.map(({ id }) => id), limit: limit + 1 });
  const authorTasks = await listAuthorTasks(
    em,
    rows.map(({ taskId }) => taskId),
  );
  const takenLocks = await findTakenLocks(em, projectId, rows);
  const tasks = rows.map((task) => {
    const between = explainFit(agent, task, authorTasks);
    const takenLock = takenLocks.get(task.taskId);
    const ofTask = explainTask(task, { dependencies: [], takenLock });
    return {
      taskId: task.taskId,
      ticketId: task.ticketId,
      title: task.title,
      fits: isFit(own) && isFit(between),
      isNext: task.isClaimable && takenLock === undefined && bestSeeker(asking, task)?.agentId === agentId,
      obstacles: [...ofTask, ...between],
    };
  });
  const obstacles = [
    ...own,
    ...explainNothing(tasks),
    ...(isFit(own) && !isAsking ? [{ ...notAsking, message: 'No call of it waits for work here.' }] : []),
  ];
  const next = tasks.find(({ isNext }) => isNext);
  const [first] = obstacles;
  const summary =
    next !== undefined
      ? `${agent.agentName} would be given "${next.title}" next.`
      : first === undefined
        ? `${agent.agentName} waits, and what it could do goes to others that fit better.`
        : `${agent.agentName} is given nothing: ${lowerFirst(first.message)}`;
  return { summary, obstacles, tasks: tasks.slice(0, limit), omitted: rows.length > limit ? 1 : 0 };
}

async function listSeekers(em: EntityManager, { listWaitingSessions }: ExplainParts, projectId: string): Promise<Seeker[]> {
  const sessionIds = [...new Set(listWaitingSessions())];
  return sessionIds.length === 0 ? [] : (await listAgentsOfSessions(em, projectId, sessionIds)).flatMap(toSeeker);
}

const silenceOf = ({ liveness }: ExplainParts) => ({ staleMs: 2 * liveness.heartbeatMs });

/** As this coordinator has heard of it, which may be more than is written down. */
const withSilence = <T extends AgentRowFacts>(row: T, { silenceMs }: Liveness): T =>
  row.sessionId === null || row.silenceMs === null
    ? row
    : { ...row, silenceMs: Math.min(row.silenceMs, silenceMs(row.sessionId) ?? row.silenceMs) };

/** Whoever works, or could if it were there: an agent that offers less and is not there, or that was terminated, is one of the rest. */
const mayMatter = ({ state, living, capabilities }: AgentRowFacts, task: TaskFacts): boolean =>
  state !== 'terminated' && (living || covers(capabilities, task.capabilities));

function explainNothing(tasks: readonly { readonly obstacles: readonly Obstacle[] }[]): Obstacle[] {
  if (tasks.length === 0) return [{ code: 'nothing_ready', message: 'No task is ready.' }];
  if (tasks.some(({ obstacles }) => obstacles.length === 0)) return [];
  return [{ code: 'nothing_suits', message: 'No task that is ready may be given to it.' }];
}

function summarise({ title, state }: TaskFacts, [first]: readonly Obstacle[], next?: Seeker): string {
  if (next !== undefined) return `"${title}" is ready and goes to ${next.agentName}.`;
  if (first === undefined) return `"${title}" is ${state}.`;
  // What has begun or ended is told as one sentence about it.
  if (state !== 'ready' && state !== 'blocked' && first.message.startsWith('It ')) return `"${title}"${first.message.slice('It'.length)}`;
  return `"${title}" is ${state}: ${lowerFirst(first.message)}`;
}

const lowerFirst = (sentence: string): string => sentence.charAt(0).toLowerCase() + sentence.slice(1);
