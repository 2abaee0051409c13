import type { Explanation, Obstacle } from '@baton/protocol';
import type { Liveness } from '../agent/agent.store.ts';
import { namesOf } from '../agent/capability-rules.ts';
import type { EntityManager } from '../db/orm.ts';
import { getLock } from '../lock/lock-list.store.ts';
import { bestSeeker, type Seeker, serveSets } from '../task/match-rules.ts';
import { listCoveredSets } from '../task/match.store.ts';
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
  const itsOwn = explainTask(task, {
    dependencies: task.state === 'blocked' ? await listPendingDependencies(em, taskId) : [],
    lockHolders: await listHolders(em, projectId, task),
  });
  const obstacles = [...itsOwn, ...(task.state === 'ready' ? explainReservation(task) : [])];
  // What has begun or ended is nobody's any more.
  if (task.state !== 'ready' && task.state !== 'blocked') return { summary: summarise(task, obstacles), obstacles, agents: [], omitted: 0 };

  const rows = (await listAgentFacts(em, { projectId, names: namesOf(task.capabilities), limit: agentsMax })).map((row) =>
    withSilence(row, parts.liveness),
  );
  const authorTasks = await listAuthorTasks(em, [taskId]);
  const asking = await listSeekers(em, parts, projectId);
  const next = task.isClaimable ? bestSeeker(asking, task) : undefined;
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
  const all = [...obstacles, ...explainNobody(task, agents, next)];
  const shown = agents.toSorted((a, b) => a.obstacles.length - b.obstacles.length || Number(b.isNext) - Number(a.isNext)).slice(0, limit);
  return { summary: summarise(task, all, next), obstacles: all, agents: shown, omitted: Math.max(0, (rows[0]?.total ?? 0) - shown.length) };
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
  const holders = await listAllHolders(em, projectId, rows);
  const tasks = rows.map((task) => {
    const between = explainFit(agent, task, authorTasks);
    const ofTask = explainTask(task, { dependencies: [], lockHolders: holders.get(task.waitingKey ?? '') ?? [] });
    return {
      taskId: task.taskId,
      ticketId: task.ticketId,
      title: task.title,
      fits: isFit(own) && isFit(between),
      isNext: task.isClaimable && bestSeeker(asking, task)?.agentId === agentId,
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

async function listHolders(em: EntityManager, projectId: string, task: TaskFacts): Promise<readonly string[]> {
  return (await listAllHolders(em, projectId, [task])).get(task.waitingKey ?? '') ?? [];
}

async function listAllHolders(em: EntityManager, projectId: string, tasks: readonly TaskFacts[]): Promise<Map<string, string[]>> {
  const holders = new Map<string, string[]>();
  for (const key of new Set(tasks.flatMap(({ waitingKey }) => waitingKey ?? []))) {
    const lock = await getLock(em, projectId, key);
    holders.set(key, [...new Set(lock.holders.map(({ agentName }) => agentName))]);
  }
  return holders;
}

/** Where nothing keeps a task from everyone and still nobody would get it: why that is. */
function explainNobody(
  task: TaskFacts,
  agents: readonly { readonly fits: boolean; readonly obstacles: readonly Obstacle[] }[],
  next: Seeker | undefined,
): Obstacle[] {
  if (!task.isClaimable || next !== undefined) return [];
  const able = agents.filter(({ obstacles }) => !obstacles.some(({ code }) => code === 'capability_missing'));
  if (able.length === 0) {
    const needed = task.capabilities.join(', ');
    return [
      { code: 'nobody_offers', message: `No agent of the project offers all that it needs: ${needed}.`, missing: [...task.capabilities] },
    ];
  }
  if (able.some(({ fits }) => fits)) return [{ code: 'nobody_asks', message: 'No call of an agent that could do it waits for work here.' }];
  const who = able.length === 1 ? 'The one agent that offers what it needs' : `All ${able.length} agents that offer what it needs`;
  return [{ code: 'nobody_free', message: `${who} cannot take it now.` }];
}

function explainNothing(tasks: readonly { readonly obstacles: readonly Obstacle[] }[]): Obstacle[] {
  if (tasks.length === 0) return [{ code: 'nothing_ready', message: 'No task is ready.' }];
  if (tasks.some(({ obstacles }) => obstacles.length === 0)) return [];
  return [{ code: 'nothing_suits', message: 'No task that is ready may be given to it.' }];
}

function summarise({ title, state }: TaskFacts, [first]: readonly Obstacle[], next?: Seeker): string {
  if (next !== undefined) return `"${title}" is ready and goes to ${next.agentName}.`;
  return first === undefined ? `"${title}" is ${state}.` : `"${title}" is ${state}: ${lowerFirst(first.message)}`;
}

const lowerFirst = (sentence: string): string => sentence.charAt(0).toLowerCase() + sentence.slice(1);
