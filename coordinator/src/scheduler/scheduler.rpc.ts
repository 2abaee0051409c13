import { CoordinatorError, type ReadyTask } from '@baton/protocol';
import type { Liveness } from '../agent/agent.store.ts';
import { checkOffers, namesOf } from '../agent/capability-rules.ts';
import type { HandlersOf } from '../call.ts';
import type { EntityManager } from '../db/orm.ts';
import { type Database, write } from '../db/transaction.ts';
import { serveSets } from '../task/match-rules.ts';
import { listCoveredSets } from '../task/match.store.ts';
import { getTicket } from '../ticket/ticket.store.ts';
import { reserveTasks } from './assign.service.ts';
import { readDagStatus } from './dag.service.ts';
import { explainAgentById, explainTaskById } from './explain.service.ts';
import { listReady, type ReadyRow } from './scheduler.store.ts';

export interface SchedulerParts {
  readonly db: Database;
  readonly queue: { listWaitingSessions(): readonly string[] };
  readonly live: Pick<Liveness, 'silenceMs'>;
  readonly pace: Pick<Liveness, 'heartbeatMs'>;
}

export const schedulerHandlers = ({ db, queue, live, pace }: SchedulerParts): HandlersOf<'scheduler'> => ({
  'scheduler/readyTasks': async ({ ticketId, capabilities, limit }, { em, caller: { projectId } }) => {
    if (ticketId !== undefined) await getTicket(em, projectId, ticketId);
    const setIds = capabilities === undefined ? undefined : await findSets(em, projectId, capabilities);
    return { tasks: (await listReady(em, { projectId, ticketId, setIds, limit })).map(toReadyTask) };
  },

  'scheduler/dagStatus': (query, { em, caller }) => readDagStatus(em, { ...query, projectId: caller.projectId }),

  'scheduler/explain': async ({ taskId, agentId, limit }, { em, caller: { projectId } }) => {
    const parts = { liveness: livenessOf(live, pace), listWaitingSessions: () => queue.listWaitingSessions() };
    if (taskId !== undefined && agentId === undefined) return explainTaskById(em, parts, { projectId, limit, taskId });
    if (agentId !== undefined && taskId === undefined) return explainAgentById(em, parts, { projectId, limit, agentId });
    throw new CoordinatorError('invalid_params', { fields: [{ path: 'taskId', message: 'Name a task or an agent, and not both.' }] });
  },

  'scheduler/assign': (params, call) => write(db, call, params, (tx) => reserveTasks(tx, livenessOf(live, pace), params)),
});

/** The pace changes with the number of sessions: it is read when it is asked for. */
const livenessOf = ({ silenceMs }: SchedulerParts['live'], { heartbeatMs }: SchedulerParts['pace']): Liveness => ({
  heartbeatMs,
  silenceMs,
});

async function findSets(em: EntityManager, projectId: string, capabilities: readonly string[]): Promise<number[]> {
  checkOffers(capabilities, 'capabilities');
  const sets = await listCoveredSets(em, projectId, namesOf(capabilities));
  return serveSets(sets, [{ agentId: '', capabilities }]).map(({ id }) => id);
}

const toReadyTask = ({ ref, reservedFor, reservedForName, reservedInMs, ...task }: ReadyRow): ReadyTask => ({
  ...task,
  ...(ref !== null && { ref }),
  ...(reservedFor !== null && {
    reservedFor: { agentId: reservedFor, agentName: reservedForName ?? '', expiresInMs: Math.round(reservedInMs ?? 0) },
  }),
});
