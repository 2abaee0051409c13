import type { Assignment } from '@baton/protocol';
import type { Liveness } from '../agent/agent.store.ts';
import { namesOf } from '../agent/capability-rules.ts';
import type { Tx } from '../db/transaction.ts';
import { serveSets } from '../task/match-rules.ts';
import { listCoveredSets, lockCandidates } from '../task/match.store.ts';
import { toTaskEvent } from '../task/task.store.ts';
import { getTicket } from '../ticket/ticket.store.ts';
import { type Assignee, assignTasks } from './assign-rules.ts';
import { type AssigneeRow, lockAssignees, writeReservations } from './assign.store.ts';
import { requireAll } from './scheduler.store.ts';

export interface AssignQuery {
  readonly ticketId?: string | undefined;
  readonly taskIds?: readonly string[] | undefined;
  readonly agentIds?: readonly string[] | undefined;
  readonly limit: number;
  readonly forMs: number;
}

/** Keeps ready tasks, in the order in which they would be handed out, for the best of the agents that have a free slot. */
export async function reserveTasks(tx: Tx, liveness: Liveness, query: AssignQuery): Promise<{ assignments: Assignment[] }> {
  const { em, projectId } = tx;
  const { ticketId, taskIds, agentIds, limit, forMs } = query;
  if (ticketId !== undefined) await getTicket(em, projectId, ticketId);
  await requireAll(em, { projectId, taskIds, agentIds });
  const assignees = (await lockAssignees(em, { projectId, agentIds }))
    .map((row) => toAssignee(row, liveness))
    .filter(({ free }) => free > 0);
  const names = namesOf(assignees.flatMap(({ capabilities }) => capabilities));
  const sets = serveSets(await listCoveredSets(em, projectId, names), assignees);
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
  };
}

function toAssignee(
  { running, reserved, silenceMs: written, sessionId, ...row }: AssigneeRow,
  { heartbeatMs, silenceMs }: Liveness,
): Assignee {
  const silentMs = Math.min(written, silenceMs(sessionId) ?? written);
  return { ...row, free: row.capacity - running - reserved, isHealthy: silentMs < 2 * heartbeatMs };
}
