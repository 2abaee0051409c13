import type { Client } from '@baton/protocol';
import fc from 'fast-check';
import { expect } from 'vitest';
import type { Pair } from '../support/pair.ts';
import { outcomeOf } from '../support/work.ts';
import { usualCommandsMax } from './settings.ts';
import * as rules from './task-model.ts';
import type { ModelAgent, ModelTask, NewModelTask, TaskModel } from './task-model.ts';
import {
  compareAttempts,
  compareTasks,
  endBackoffs,
  holdBackoff,
  passDeadline,
  passLease,
  setUpTasks,
  type TaskWorld,
  toNewTask,
  typesOf,
} from './task-world.ts';

type TaskCommand = fc.AsyncCommand<TaskModel, TaskWorld>;

interface Step<T> {
  readonly name: string;
  /** What the step may be done to, in the state of the model. */
  readonly targets: (model: TaskModel) => readonly T[];
  /** Does it in both worlds and compares the answers. */
  readonly take: (model: TaskModel, real: TaskWorld, target: T) => Promise<void>;
}

/** A step at one of its targets, after which both coordinators show what the model says. */
const at = <T>(pick: number, { name, targets, take }: Step<T>): TaskCommand => ({
  check: (model) => targets(model).length > 0,
  async run(model, real) {
    const possible = targets(model);
    await take(model, real, possible[pick % possible.length]!);
    await compareTasks(model, real, real.pair.sites[pick % 2]!);
  },
  toString: () => `${name} #${pick}`,
});

const living = ({ agents }: TaskModel) => agents.filter(({ session }) => session !== undefined);
const running = ({ tasks }: TaskModel) => tasks.filter(({ state }) => state === 'running');
const clientOf = ({ sessions }: TaskWorld, session: string): Client => sessions.get(session)!;
const toCall = ({ id, attempt }: ModelTask) => ({ taskId: id, attempt });
const holderOf = (real: TaskWorld, { holder }: ModelTask): Client => clientOf(real, holder!.session);
const error = { message: 'It did not work.' };

interface Drawn {
  readonly isCheck: boolean;
  readonly priority: NewModelTask['priority'];
  readonly policy: NewModelTask['policy'];
  readonly maxAttempts: number;
  readonly dependsOn: readonly number[];
}

/** Submits a graph, perhaps sends the same call again to the other coordinator. */
const submitting = (pick: number, drawn: readonly Drawn[], isRepeated: boolean): TaskCommand => ({
  check: ({ tasks }) => tasks.length < 40,
  async run(model, real) {
    const first = model.tasks.length;
    const [build, check] = typesOf(model);
    const tasks = drawn.map(({ isCheck, dependsOn, ...task }, index) => ({
      ...task,
      type: isCheck ? check : build,
      dependsOn: first + index === 0 ? [] : [...new Set(dependsOn.map((place) => place % (first + index)))],
    }));
    const call = {
      ticketId: real.ticketId,
      idempotencyKey: crypto.randomUUID(),
      tasks: tasks.map((task, index) => toNewTask(task, first + index, model)),
    };
    const [one, other] = real.pair.sites;
    const [here, there] = pick % 2 === 0 ? [one, other] : [other, one];
    const answer = await here.client.task.submit(call);
    if (isRepeated) expect(await there.client.task.submit(call)).toEqual(answer);

    rules.submit(
      model,
      tasks.map((task, index) => ({ ...task, id: answer.tasks[index]!.id })),
    );
    await compareTasks(model, real, there);
  },
  toString: () => `submit #${pick} ${JSON.stringify(drawn)}${isRepeated ? ' twice' : ''}`,
});

const claiming = (max: number, isRepeated: boolean): Step<ModelAgent> => ({
  name: `claim ${max}${isRepeated ? ' twice' : ''}`,
  targets: living,
  async take(model, real, agent) {
    const call = { max, idempotencyKey: crypto.randomUUID() };
    const { claims } = await clientOf(real, agent.session!).task.claim(call);
    const expected = rules.claim(model, agent, max);
    expect(claims.map(({ taskId, attempt }) => ({ taskId, attempt }))).toEqual(expected.map(toCall));
    if (!isRepeated || claims.length === 0) return;
    const again = await clientOf(real, agent.session!).task.claim(call);
    expect(again.claims.map(({ taskId }) => taskId).toSorted()).toEqual(expected.map(({ id }) => id).toSorted());
  },
});

/** An agent that gives an attempt back and takes the task again mixes up the two. */
const takingAgain: Step<ModelTask> = {
  name: 'release, claim again and complete the attempt that was given back',
  targets: running,
  async take(model, real, task) {
    const { session } = task.holder!;
    const agent = model.agents.find((each) => each.session === session)!;
    await releasing.take(model, real, task);
    const earlier = task.attempt;
    await claiming(agent.capacity, false).take(model, real, agent);
    await completingLate(() => []).take(model, real, { task, session, attempt: earlier });
  },
};

const completing: Step<ModelTask> = {
  name: 'complete',
  targets: running,
  async take(model, real, task) {
    expect(await holderOf(real, task).task.complete(toCall(task))).toEqual({ ...toCall(task), state: 'completed' });
    rules.complete(model, task);
  },
};

const completingAgain: Step<ModelTask> = {
  name: 'complete again',
  targets: (model) =>
    model.tasks.filter(
      ({ state, ended }) => state === 'completed' && living(model).some(({ session }) => session === ended.at(-1)!.session),
    ),
  async take(_model, real, task) {
    const answer = await clientOf(real, task.ended.at(-1)!.session).task.complete(toCall(task));
    expect(answer).toEqual({ ...toCall(task), state: 'completed' });
  },
};

interface Stale {
  readonly task: ModelTask;
  readonly session: string;
  readonly attempt: number;
}

/** Attempts that have ended without a result. */
const endedAttempts = ({ tasks }: TaskModel): Stale[] =>
  tasks.flatMap((task) =>
    task.ended.filter(({ outcome }) => outcome !== 'completed').map(({ session, number }) => ({ task, session, attempt: number })),
  );

/** Attempts of other sessions, and attempts that have not begun. */
const othersAttempts = (model: TaskModel): Stale[] =>
  model.tasks.flatMap((task) => [
    ...(task.holder === undefined ? [] : [{ task, session: task.holder.session, attempt: task.attempt + 1 }]),
    ...living(model)
      .filter(({ session }) => session !== (task.holder ?? task.ended.at(-1))?.session)
      .map(({ session }) => ({ task, session: session!, attempt: Math.max(1, task.attempt) })),
  ]);

const completingLate = (targets: Step<Stale>['targets']): Step<Stale> => ({
  name: 'complete what is not held',
  targets,
  async take(model, real, { task, session, attempt }) {
    const outcome = await outcomeOf(clientOf(real, session).task.complete({ taskId: task.id, attempt, output: 'late' }));
    expect(outcome).toBe(living(model).some((agent) => agent.session === session) ? 'claim_stale' : 'session_unknown');
  },
});

const failing = (permanent: boolean): Step<ModelTask> => ({
  name: permanent ? 'fail for good' : 'fail',
  targets: running,
  async take(model, real, task) {
    const answer = await holderOf(real, task).task.fail({ ...toCall(task), permanent, error });
    await holdBackoff(real, task.id);
    const attempt = task.attempt;
    rules.fail(model, task, 'failed', permanent);
    expect(answer).toMatchObject({ taskId: task.id, attempt, state: task.state });
  },
});

const releasing: Step<ModelTask> = {
  name: 'release',
  targets: running,
  async take(_model, real, task) {
    expect(await holderOf(real, task).task.release(toCall(task))).toMatchObject({ ...toCall(task), state: 'ready' });
    rules.release(task);
  },
};

const timingOut: Step<ModelTask> = {
  name: 'time out',
  targets: running,
  async take(model, real, task) {
    await passDeadline(real, task.id);
    await holdBackoff(real, task.id);
    rules.fail(model, task, 'timed_out');
  },
};

const cancelling = (pick: number): Step<ModelTask> => ({
  name: 'cancel',
  targets: (model) => [...model.tasks, ...running(model), ...running(model)],
  async take(model, real, task) {
    const outcome = await outcomeOf(real.pair.sites[pick % 2]!.client.task.cancel({ taskId: task.id }));
    const isAccepted = rules.mayCancel(task) || task.state === 'cancelled';
    expect(outcome).toBe(isAccepted ? 'accepted' : 'task_state_refused');
    if (!rules.mayCancel(task)) return;
    const { holder, attempt } = task;
    rules.cancel(model, task);
    // The agent does not know it yet.
    if (holder !== undefined) await completingLate(() => []).take(model, real, { task, session: holder.session, attempt });
  },
});

const retrying = (pick: number): Step<ModelTask> => ({
  name: 'retry',
  // Those for which it means something come up more often than the others.
  targets: ({ tasks }) => [...tasks, ...tasks.filter(({ state }) => state === 'failed' || state === 'cancelled' || state === 'skipped')],
  async take(model, real, task) {
    const outcome = await outcomeOf(real.pair.sites[pick % 2]!.client.task.retry({ taskId: task.id }));
    expect(outcome).toBe(rules.mayRetry(model, task) ? 'accepted' : 'task_state_refused');
    if (outcome === 'accepted') rules.retry(model, task);
  },
});

const leaving = (how: 'deregister' | 'expire' | 'supersede', pick: number): Step<ModelAgent> => ({
  name: how,
  targets: living,
  async take(model, real, agent) {
    const session = agent.session!;
    if (how === 'deregister') await clientOf(real, session).agent.deregister({});
    if (how === 'expire') await passLease(real, session);
    const newer = how === 'supersede' ? await real.register(agent, real.pair.sites[pick % 2]!) : undefined;
    rules.endSession(model, agent);
    agent.session = newer;
  },
});

const returning = (pick: number): Step<ModelAgent> => ({
  name: 'return',
  targets: ({ agents }) => agents.filter(({ session }) => session === undefined),
  async take(_model, real, agent) {
    agent.session = await real.register(agent, real.pair.sites[pick % 2]!);
  },
});

const waiting: Step<'time'> = {
  name: 'wait',
  targets: ({ tasks }) => (tasks.some(({ mustWait }) => mustWait) ? ['time'] : []),
  async take(model, real) {
    await endBackoffs(real);
    rules.passTime(model);
  },
};

const pick = fc.nat(999);
const drawn = fc.record({
  isCheck: fc.boolean(),
  priority: fc.constantFrom('CRITICAL', 'HIGH', 'MEDIUM', 'LOW'),
  policy: fc.constantFrom('skip', 'skip', 'run'),
  maxAttempts: fc.constantFrom(1, 2),
  dependsOn: fc.array(fc.nat(99), { maxLength: 3 }),
});

const step = <T>(make: (pick: number) => Step<T>) => pick.map((pick) => at(pick, make(pick)));

/** What may happen; what happens more often in life stands here more often. */
const commands: fc.Arbitrary<TaskCommand>[] = [
  fc
    .tuple(pick, fc.array(drawn, { minLength: 1, maxLength: 5 }), fc.boolean())
    .map(([pick, tasks, isRepeated]) => submitting(pick, tasks, isRepeated)),
  ...[1, 2, 3].map((max) => step((pick) => claiming(max, pick % 3 === 0))),
  ...Array.from({ length: 5 }, () => step(() => completing)),
  step(() => completingAgain),
  step(() => takingAgain),
  step(() => completingLate(endedAttempts)),
  step(() => completingLate(othersAttempts)),
  step(() => failing(false)),
  step(() => failing(true)),
  step(() => releasing),
  step(() => releasing),
  step(() => timingOut),
  step(cancelling),
  step(retrying),
  step(retrying),
  step((pick) => leaving((['deregister', 'expire', 'supersede'] as const)[pick % 3]!, pick)),
  step(returning),
  step(returning),
  step(() => waiting),
  step(() => waiting),
];

/** Any history of up to so many commands, in which two coordinators must do what the model says. */
export const taskHistories = (pair: Pair, commandsMax = usualCommandsMax) =>
  fc.asyncProperty(fc.commands(commands, { maxCommands: commandsMax, size: 'max' }), async (commands) => {
    const setup = await setUpTasks(pair);
    await fc.asyncModelRun(() => setup, commands);
    await compareAttempts(setup.model, setup.real);
  });
