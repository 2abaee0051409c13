import { covers } from '../agent/capability-rules.ts';
import { listFitObstacles } from '../task/match-rules.ts';
import type { Assignee } from './assign-rules.ts';
import { explainReservation, explainTask } from './explain-rules.ts';
import type { TaskFacts } from './explain.store.ts';

export interface AssignCircumstances {
  readonly ticketId: string | undefined;
  /** Those that had a free slot, with what they have left of them. */
  readonly assignees: readonly Assignee[];
  readonly limit: number;
  /** As many tasks were assigned as were asked for. */
  readonly isFull: boolean;
}

/** Why a task that was named for `scheduler/assign` is kept for nobody. */
export function whyPassedOver(task: TaskFacts, { ticketId, assignees, limit, isFull }: AssignCircumstances): string {
  if (ticketId !== undefined && task.ticketId !== ticketId.toLowerCase()) return 'It belongs to another ticket.';
  if (task.state === 'blocked') return 'It waits for other tasks.';
  const takenLock = task.waitingKey === null ? undefined : { key: task.waitingKey, holders: [] };
  const [own] = [...explainTask(task, { dependencies: [], takenLock }), ...explainReservation(task)];
  if (own !== undefined) return own.message;
  const able = assignees.filter(({ capabilities }) => covers(capabilities, task.capabilities));
  if (able.length === 0) return `No agent that has a free slot and takes work offers ${task.capabilities.join(', ')}.`;
  const allowed = able.filter((assignee) => listFitObstacles(assignee, task).length === 0);
  if (allowed.length === 0) return 'Whoever has a free slot did what its doer must not have done.';
  if (isFull) return `Others came first: \`limit\` is ${limit}.`;
  if (allowed.every(({ free }) => free <= 0)) return 'Others came first, and no slot is left.';
  return 'Another call is handing it out.';
}
