import { listFitObstacles, type Doer, type Offer } from '../task/match-rules.ts';

/** An agent that tasks may be kept for, with the slots that are neither in use nor promised. */
export interface Assignee extends Doer {
  readonly agentName: string;
  readonly capacity: number;
  readonly isHealthy: boolean;
  free: number;
}

export interface Choice<Task> {
  readonly task: Task;
  readonly assignee: Assignee;
  readonly score: number;
}

/**
 * Gives each task in the order given to the best of those whom nothing keeps from it and that have a free slot, at most
 * `limit` tasks: by the score of `agent/search`, then by free slots, then by id. All offer everything, so that coverage is 1.
 */
export function assignTasks<Task extends Offer>(tasks: readonly Task[], assignees: readonly Assignee[], limit: number): Choice<Task>[] {
  const choices: Choice<Task>[] = [];
  for (const task of tasks) {
    if (choices.length >= limit) break;
    const assignee = bestAssignee(assignees, task);
    if (assignee === undefined) continue;
    choices.push({ task, assignee, score: scoreOf(assignee) });
    assignee.free -= 1;
  }
  return choices;
}

function bestAssignee(assignees: readonly Assignee[], task: Offer): Assignee | undefined {
  let best: Assignee | undefined;
  for (const assignee of assignees) {
    if (assignee.free <= 0 || (best !== undefined && !isBetter(assignee, best)) || listFitObstacles(assignee, task).length > 0) continue;
    best = assignee;
  }
  return best;
}

function isBetter(a: Assignee, b: Assignee): boolean {
  const difference = scoreOf(a) - scoreOf(b);
  if (difference !== 0) return difference > 0;
  return a.free === b.free ? a.agentId < b.agentId : a.free > b.free;
}

/** Rounded: a share of thirds must not make of 1.55 a number of seventeen digits. */
function scoreOf({ free, capacity, isHealthy }: Assignee): number {
  const score = 1 + (0.2 * free) / capacity + (isHealthy ? 0.2 : 0) + 0.05 * Math.min(capacity, 5);
  return Math.round(score * 1e6) / 1e6;
}
