import type { AttemptOutcome, Priority, TaskState } from '@baton/protocol';

/** What a task of the model was submitted with. `dependsOn` are places in the list of tasks. */
export interface NewModelTask {
  readonly type: string;
  readonly priority: Priority;
  readonly policy: 'skip' | 'run';
  readonly maxAttempts: number;
  readonly dependsOn: readonly number[];
}

interface EndedAttempt {
  readonly number: number;
  readonly agent: string;
  readonly session: string;
  readonly outcome: AttemptOutcome;
}

export interface ModelTask extends NewModelTask {
  readonly place: number;
  readonly id: string;
  state: TaskState;
  attempt: number;
  attemptsUsed: number;
  /** The dependencies that it no longer waits for. */
  readonly settled: Set<number>;
  /** Whose attempt runs. */
  holder: { readonly agent: string; readonly session: string } | undefined;
  /** A back-off has not passed. */
  mustWait: boolean;
  readonly ended: EndedAttempt[];
}

export interface ModelAgent {
  readonly name: string;
  readonly types: readonly string[];
  readonly capacity: number;
  /** Absent while it is away. */
  session: string | undefined;
}

/** What Baton promises about tasks, without a database, a network or a second coordinator. */
export interface TaskModel {
  readonly tasks: ModelTask[];
  readonly agents: readonly ModelAgent[];
}

const unsuccessful: readonly TaskState[] = ['failed', 'cancelled', 'skipped'];
const priorities: readonly Priority[] = ['CRITICAL', 'HIGH', 'MEDIUM', 'LOW'];

export const pendingOf = ({ dependsOn, settled }: ModelTask): number => dependsOn.length - settled.size;

export function submit(model: TaskModel, tasks: readonly (NewModelTask & { readonly id: string })[]): void {
  const first = model.tasks.length;
  for (const [index, task] of tasks.entries()) {
    const settled = new Set(task.dependsOn.filter((place) => model.tasks[place]?.state === 'completed'));
    const state = settled.size === task.dependsOn.length ? 'ready' : 'blocked';
    const life = { attempt: 0, attemptsUsed: 0, holder: undefined, mustWait: false, ended: [] };
    model.tasks.push({ ...task, ...life, place: first + index, state, settled });
  }
  for (const { place, state } of model.tasks.slice(0, first)) if (unsuccessful.includes(state)) passFailureOn(model, place);
}

/** The tasks that an agent is handed, in this order. */
export function claim({ tasks }: TaskModel, agent: ModelAgent, max: number): ModelTask[] {
  const session = agent.session!;
  const running = tasks.filter(({ state, holder }) => state === 'running' && holder?.session === session).length;
  const taken = tasks
    .filter(({ state, type, mustWait }) => state === 'ready' && !mustWait && agent.types.includes(type))
    .toSorted((a, b) => priorities.indexOf(a.priority) - priorities.indexOf(b.priority) || a.place - b.place)
    .slice(0, Math.min(max, agent.capacity - running));
  for (const task of taken) {
    task.state = 'running';
    task.attempt += 1;
    task.holder = { agent: agent.name, session };
  }
  return taken;
}

export function complete(model: TaskModel, task: ModelTask): void {
  endAttempt(task, 'completed');
  task.state = 'completed';
  for (const dependent of dependentsOf(model, task.place)) settle(dependent, task.place);
}

/** An attempt ends without a result. */
export function fail(model: TaskModel, task: ModelTask, outcome: 'failed' | 'timed_out' | 'lost', isPermanent = false): void {
  endAttempt(task, outcome);
  task.attemptsUsed += 1;
  if (isPermanent || task.attemptsUsed >= task.maxAttempts) {
    task.state = 'failed';
    passFailureOn(model, task.place);
    return;
  }
  task.state = 'ready';
  task.mustWait = outcome !== 'lost';
}

export function release(task: ModelTask): void {
  endAttempt(task, 'released');
  task.state = 'ready';
}

export function mayCancel({ state }: ModelTask): boolean {
  return state === 'blocked' || state === 'ready' || state === 'running';
}

export function cancel(model: TaskModel, task: ModelTask): void {
  if (task.state === 'running') endAttempt(task, 'cancelled');
  task.state = 'cancelled';
  passFailureOn(model, task.place);
}

/** Whether a retry is accepted: what holds the task back must be retried first. */
export const mayRetry = ({ tasks }: TaskModel, { state, policy, dependsOn }: ModelTask): boolean =>
  unsuccessful.includes(state) && !(policy === 'skip' && dependsOn.some((place) => unsuccessful.includes(tasks[place]!.state)));

export function retry(model: TaskModel, task: ModelTask): void {
  const reopened = reopenedWith(model, task);
  for (const each of reopened) {
    each.settled.clear();
    for (const place of each.dependsOn) {
      const parent = model.tasks[place]!;
      const isGivenUp = each.policy === 'run' && unsuccessful.includes(parent.state) && !reopened.has(parent);
      if (parent.state === 'completed' || isGivenUp) each.settled.add(place);
    }
  }
  for (const each of reopened) {
    each.state = pendingOf(each) === 0 ? 'ready' : 'blocked';
    each.attemptsUsed = 0;
    each.mustWait = false;
  }
  // What runs without them and has not begun to may wait for them again.
  for (const dependent of model.tasks)
    if (dependent.state === 'blocked' && !reopened.has(dependent)) for (const each of reopened) dependent.settled.delete(each.place);
}

/** A session has ended: what it ran is lost. */
export function endSession(model: TaskModel, agent: ModelAgent): void {
  const running = model.tasks.filter(({ state, holder }) => state === 'running' && holder?.session === agent.session);
  for (const task of running) fail(model, task, 'lost');
  agent.session = undefined;
}

export function passTime({ tasks }: TaskModel): void {
  for (const task of tasks) task.mustWait = false;
}

function endAttempt(task: ModelTask, outcome: AttemptOutcome): void {
  task.ended.push({ ...task.holder!, number: task.attempt, outcome });
  task.holder = undefined;
}

const dependentsOf = ({ tasks }: TaskModel, place: number) =>
  tasks.filter(({ state, dependsOn }) => state === 'blocked' && dependsOn.includes(place));

function settle(task: ModelTask, place: number): void {
  task.settled.add(place);
  if (pendingOf(task) === 0) task.state = 'ready';
}

function passFailureOn(model: TaskModel, place: number): void {
  for (const dependent of dependentsOf(model, place)) {
    // One that was decided about on the way here is no longer blocked.
    if (dependent.state !== 'blocked') continue;
    if (dependent.policy === 'run') {
      settle(dependent, place);
      continue;
    }
    dependent.state = 'skipped';
    passFailureOn(model, dependent.place);
  }
}

/** The task, and of those that were skipped behind it the most that no other unsuccessful task holds back. */
function reopenedWith({ tasks }: TaskModel, task: ModelTask): Set<ModelTask> {
  const reopened = new Set([task]);
  for (const each of tasks) if (each.state === 'skipped' && each.dependsOn.some((place) => reopened.has(tasks[place]!))) reopened.add(each);
  const isHeld = (each: ModelTask) =>
    each !== task && each.dependsOn.some((place) => unsuccessful.includes(tasks[place]!.state) && !reopened.has(tasks[place]!));
  for (let held = [...reopened].filter(isHeld); held.length > 0; held = [...reopened].filter(isHeld))
    for (const each of held) reopened.delete(each);
  return reopened;
}
