import type { PassedOver, Result } from '@baton/protocol';
import type { Liveness } from '../agent/agent.store.ts';
import { namesOf } from '../agent/capability-rules.ts';
import type { EntityManager } from '../db/orm.ts';
import type { Tx } from '../db/transaction.ts';
import { serveSets } from '../task/match-rules.ts';
import { listCoveredSets, lockCandidates, putDueBack } from '../task/match.store.ts';
import { toTaskEvent } from '../task/task.store.ts';
import { getTicket } from '../ticket/ticket.store.ts';
import { type Assignee, assignTasks } from './assign-rules.ts';
import { type AssigneeRow, lockAssignees, writeReservations } from './assign.store.ts';
import { listTaskFacts } from './explain.store.ts';
import { whyPassedOver } from './passed-over.ts';
import { requireAll } from './scheduler.store.ts';

export interface AssignQuery {
  readonly ticketId?: string | undefined;
  readonly taskIds?: readonly string[] | undefined;
  readonly agentIds?: readonly string[] | undefined;
  readonly limit: number;
  readonly forMs: number;
}

/** Keeps ready tasks, in the order in which they would be handed out, for the best of the agents that have a free slot. */
export async function reserveTasks(tx: Tx, liveness: Liveness, query: AssignQuery): Promise<Result<'scheduler/assign'>> {
  const { em, projectId } = tx;
  const { ticketId, taskIds, agentIds, limit, forMs } = query;
  if (ticketId !== undefined) await getTicket(em, projectId, ticketId);
  await requireAll(em, { projectId, taskIds, agentIds });
  const assignees = (await lockAssignees(em, { projectId, agentIds }))
    .map((row) => toAssignee(row, liveness))
    .filter(({ free }) => free > 0);
  const names = namesOf(assignees.flatMap(({ capabilities }) => capabilities));
  const sets = serveSets(await listCoveredSets(em, projectId, names), assignees);
  if ((await putDueBack(em, projectId)) > 0) tx.hints.tasks = true;
  const candidates = sets.length === 0 ? [] : await lockCandidates(em, { projectId, sets, limit, ticketId, taskIds });

  const needs = new Map(sets.map(({ id, capabilities }) => [id, capabilities]));
  const tasks = candidates
    .filter(({ reservedFor }) => reservedFor === null)
    .map((task) => ({ ...task, capabilities: needs.get(task.capabilitySetId) ?? [] }));
  const choices = assignTasks(tasks, assignees, limit);
  await writeReservations(
    em,
    choices.map(({ task, assignee }) => ({ taskId: task.id, agentId: assignee.agentId })),
    forMs,
  );
  for (const { task, assignee } of choices) {
    const { agentId, agentName } = assignee;
    tx.record('task.reserved', { ...toTaskEvent(task), agentId, agentName, forMs });
  }
  if (choices.length > 0) {
    // At once for the one that waits, and for all others when the time is over.
    tx.hints.tasks = true;
    tx.hints.tasksInMs.push(forMs);
  }
  return {
    assignments: choices.map(({ task, assignee: { agentId, agentName }, score }) => ({
      taskId: task.id,
      title: task.title,
      agentId,
      agentName,
      expiresInMs: forMs,
      score,
    })),
    passedOver: await listPassedOver(em, query, { projectId, assignees, assigned: choices.map(({ task }) => task.id) }),
  };
}

interface Assigned {
  readonly projectId: string;
  /** With the slots that are still free. */
  readonly assignees: readonly Assignee[];
  readonly assigned: readonly string[];
}

/** Of the tasks that were named, those that are kept for nobody now, and why. */
async function listPassedOver(
  em: EntityManager,
  { ticketId, taskIds = [], limit }: AssignQuery,
  { projectId, assignees, assigned }: Assigned,
): Promise<PassedOver[]> {
  const done = new Set(assigned);
  const left = [...new Set(taskIds.map((id) => id.toLowerCase()))].filter((id) => !done.has(id));
  if (left.length === 0) return [];
  const circumstances = { ticketId, assignees, limit, isFull: assigned.length >= limit };
  return (await listTaskFacts(em, { projectId, taskIds: left })).map((task) => ({
    taskId: task.taskId,
    reason: whyPassedOver(task, circumstances),
  }));
}

function toAssignee(
  { running, reserved, silenceMs: written, sessionId, ...row }: AssigneeRow,
  { heartbeatMs, silenceMs }: Liveness,
): Assignee {
  const silentMs = Math.min(written, silenceMs(sessionId) ?? written);
  return { ...row, free: row.capacity - running - reserved, isHealthy: silentMs < 2 * heartbeatMs };
}
