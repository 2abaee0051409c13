import type { Finding } from './check-history.ts';
import type { FinalEvent, FinalState } from './final-state.ts';

/** What is known of a task at some number of the stream. */
interface Followed {
  running: number | undefined;
  newest: number;
  end: 'completed' | 'cancelled' | undefined;
}

/** Replays the events: they are numbered without gap, and no attempt begins before the one before it has ended. */
export function checkEvents({ tasks, events }: FinalState): Finding[] {
  const found: Finding[] = [];
  const report = (rule: Finding['rule'], message: string) => found.push({ rule, message, operations: [] });
  const followed = new Map<string, Followed>(tasks.map(({ id }) => [id, { running: undefined, newest: 0, end: undefined }]));
  const dependencies = new Map(tasks.map(({ id, dependsOn }) => [id, dependsOn]));

  for (const [index, event] of events.entries()) {
    if (event.seq !== index + 1) report('gap in the events', `The event after ${index} is ${event.seq}.`);
    const { taskId } = event;
    const task = taskId === null ? undefined : followed.get(taskId);
    if (taskId === null || task === undefined) continue;
    if (event.name === 'task.claimed') {
      const early = dependencies.get(taskId)?.find((id) => followed.get(id)?.end !== 'completed');
      if (early !== undefined) report('begun too early', `The task ${taskId} began in event ${event.seq} before ${early} was completed.`);
    }
    const problem = follow(task, event);
    if (problem !== undefined) report(problem.rule, `The task ${taskId}, event ${event.seq}: ${problem.message}`);
  }
  return found;
}

/** Takes one step, and says what is wrong with it. */
function follow(task: Followed, { name, attempt }: FinalEvent): Pick<Finding, 'rule' | 'message'> | undefined {
  switch (name) {
    case 'task.claimed':
      return begin(task, attempt ?? 0);
    case 'task.completed': {
      const before = { ...task };
      Object.assign(task, { running: undefined, end: 'completed' });
      if (before.end === 'completed') return { rule: 'double completion', message: `attempt ${attempt} completed what was completed.` };
      if (before.end === 'cancelled') return { rule: 'cancellation undone', message: `attempt ${attempt} completed what was cancelled.` };
      return before.running === attempt
        ? undefined
        : { rule: 'double completion', message: `attempt ${attempt} completed it while ${before.running ?? 'none'} ran.` };
    }
    case 'task.requeued':
    case 'task.failed':
      task.running = undefined;
      return undefined;
    case 'task.cancelled':
      Object.assign(task, { running: undefined, end: 'cancelled' });
      return undefined;
    case 'task.reopened':
      task.end = undefined;
      return undefined;
    default:
      return undefined;
  }
}

function begin(task: Followed, attempt: number): Pick<Finding, 'rule' | 'message'> | undefined {
  const before = { ...task };
  Object.assign(task, { running: attempt, newest: attempt });
  if (before.running !== undefined)
    return { rule: 'unexplained execution', message: `attempt ${attempt} began while ${before.running} ran.` };
  if (before.end !== undefined) return { rule: 'unexplained execution', message: `attempt ${attempt} began after it was ${before.end}.` };
  if (attempt <= before.newest) return { rule: 'fence not risen', message: `attempt ${attempt} came after ${before.newest}.` };
  return undefined;
}
