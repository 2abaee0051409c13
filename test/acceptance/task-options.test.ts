import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { outcomeOf, setUpBench } from '../support/work.ts';

const limits = { taskDepthMax: 2, taskChildrenMax: 5, ticketTasksMax: 40 };

let daemon: Daemon;
/** One that asks the database once a minute only: what it hands out it was told of. */
let deaf: Daemon;
beforeAll(async () => {
  [daemon, deaf] = await Promise.all([startDaemon({ config: limits }), startDaemon({ config: { pollMs: 60_000, sweepMs: 60_000 } })]);
});
afterAll(async () => {
  await Promise.all([daemon.stop(), deaf.stop()]);
});

describe('a task that waits for its time', () => {
  const day = 86_400_000;

  test('is ready and tells how long it waits, and is not handed out', async () => {
    const { agent, submit } = await setUpBench(daemon);
    const [delayed, dated] = await submit({ delayMs: day }, { runAt: new Date(Date.now() + day).toISOString(), priority: 'CRITICAL' });

    const claims = await agent.claim({ max: 2 });

    expect(claims).toEqual([]);
    for (const taskId of [delayed!, dated!]) {
      const { state, runInMs } = await daemon.client.task.get({ taskId });
      expect(state).toBe('ready');
      expect(runInMs).toBeGreaterThan(day - 60_000);
      expect(runInMs).toBeLessThanOrEqual(day);
    }
  });

  test('is handed out when its time has come, without anybody looking', async () => {
    const { agent, submit } = await setUpBench(deaf);
    const runAt = new Date(Date.now() + 900).toISOString();
    const [delayed] = await submit({ delayMs: 400 }, { runAt });

    const [first, second] = [await agent.claimOne(), await agent.claimOne()];

    expect(first.taskId).toBe(delayed);
    const [early, late] = await Promise.all([first, second].map(({ taskId }) => deaf.client.task.get({ taskId })));
    expect(Date.parse(early!.attempts[0]!.startedAt) - Date.parse(early!.createdAt)).toBeGreaterThanOrEqual(399);
    expect(Date.parse(late!.attempts[0]!.startedAt)).toBeGreaterThanOrEqual(Date.parse(runAt));
  });

  test('whose time has passed already is handed out at once', async () => {
    const { agent, submit } = await setUpBench(deaf);
    await submit({ runAt: '2020-01-01T00:00:00Z' });

    expect(await agent.claim()).toHaveLength(1);
  });

  test('waits for its time also when what it depends on was done before, and is told of in time', async () => {
    const { agent, submit } = await setUpBench(deaf);
    const [, second] = await submit({ ref: 'first' }, { ref: 'second', dependsOn: ['first'], delayMs: 900 });
    await agent.complete(await agent.claimOne());

    const claim = await agent.claimOne();

    const { createdAt, attempts } = await deaf.client.task.get({ taskId: second! });
    expect(claim.taskId).toBe(second);
    expect(Date.parse(attempts[0]!.startedAt) - Date.parse(createdAt)).toBeGreaterThanOrEqual(899);
  });

  test('has one time only', async () => {
    const { submit } = await setUpBench(daemon);

    const refused = submit({ delayMs: 1, runAt: '2030-01-01T00:00:00Z' });

    await expect(refused).rejects.toMatchObject({ kind: 'invalid_params', data: { fields: [{ path: 'tasks[0].delayMs' }] } });
  });

  test('that was skipped before its time keeps to it when it is reopened', async () => {
    const { agent, submit } = await setUpBench(daemon);
    const [first, second] = await submit({ ref: 'first', maxAttempts: 1 }, { ref: 'second', dependsOn: ['first'], delayMs: day });
    await agent.fail(await agent.claimOne());
    await daemon.client.task.retry({ taskId: first! });

    await agent.complete(await agent.claimOne());

    const { state, runInMs } = await daemon.client.task.get({ taskId: second! });
    expect(state).toBe('ready');
    expect(runInMs).toBeGreaterThan(day - 60_000);
  });
});

describe('what does not fit is told with what would', () => {
  test.each([
    [{ notBy: ['worker'] }, 'tasks[0].notBy', /^There is no task worker in this phase: `notBy` names tasks, .*, not agents/],
    [{ dependsOn: ['nobody'] }, 'tasks[0].dependsOn', /name one by its `ref`, or by its id\.$/],
    [{ notBy: ['the worker'] }, 'tasks[0].notBy[0]', /^Name a task by its `ref` or by its id\.$/],
    [{ runAt: 'tomorrow' }, 'tasks[0].runAt', /such as 2030-05-04T09:30:00Z\.$/],
  ])('%j', async (task, path, message) => {
    const { submit } = await setUpBench(daemon);

    await expect(submit(task)).rejects.toMatchObject({ data: { fields: [{ path, message: expect.stringMatching(message) as string }] } });
  });

  test('a limit of 0', async () => {
    await expect(daemon.client.task.list({ limit: 0 })).rejects.toMatchObject({
      data: { fields: [{ path: 'limit', message: 'Expected a whole number from 1 to 1000.' }] },
    });
  });
});

describe('notBy', () => {
  test('is a dependency, and told with the task', async () => {
    const { agent, submit } = await setUpBench(daemon);
    const [write, review] = await submit({ ref: 'write' }, { ref: 'review', notBy: ['write'] });

    const before = await daemon.client.task.get({ taskId: review! });
    const claim = await agent.claimOne();
    await agent.complete(claim);
    const after = await daemon.client.task.get({ taskId: review! });

    expect(claim.taskId).toBe(write);
    expect(before).toMatchObject({ state: 'blocked', dependsOn: [write], notBy: [write], pendingDependencies: 1 });
    expect(after).toMatchObject({ state: 'ready', pendingDependencies: 0 });
  });

  test('names tasks that are there by reference or id, beside other dependencies', async () => {
    const { submit } = await setUpBench(daemon);
    const [a, b] = await submit({ ref: 'a' }, { ref: 'b' });

    const [review] = await submit({ dependsOn: ['a'], notBy: [a!, b!] });

    const { dependsOn, notBy } = await daemon.client.task.get({ taskId: review! });
    expect(dependsOn).toEqual([a!, b!].toSorted());
    expect(notBy).toEqual([a!, b!].toSorted());
  });

  test.each([
    ['itself', [{ ref: 'a', notBy: ['a'] }], 'dependency_cycle'],
    [
      'one that waits for it',
      [
        { ref: 'a', notBy: ['b'] },
        { ref: 'b', dependsOn: ['a'] },
      ],
      'dependency_cycle',
    ],
    ['nobody', [{ ref: 'a', notBy: ['nobody'] }], 'dependency_unknown'],
    ['one twice', [{ ref: 'a' }, { notBy: ['a', 'a'] }], 'invalid_params'],
  ])('of %s is refused as a dependency would be, and nothing is stored', async (_, tasks, kind) => {
    const { ticket, submit } = await setUpBench(daemon);

    expect(await outcomeOf(submit(...tasks))).toBe(kind);
    expect((await daemon.client.task.list({ ticketId: ticket.id })).tasks).toEqual([]);
  });
});

describe('what a task needs', () => {
  test('may be a range of versions, kept as it was given', async () => {
    const { submit } = await setUpBench(daemon);

    const [taskId] = await submit({ capabilities: ['python@>=3.11 <4', 'Testing'] });

    expect((await daemon.client.task.get({ taskId: taskId! })).capabilities).toEqual(['python@>=3.11 <4', 'testing']);
  });

  test('is refused where the range is none', async () => {
    const { submit } = await setUpBench(daemon);

    const refused = submit({}, { capabilities: ['python@>=x.y.z'] });

    await expect(refused).rejects.toMatchObject({ kind: 'invalid_params', data: { fields: [{ path: 'tasks[1].capabilities[0]' }] } });
  });
});

describe('tasks that submit tasks', () => {
  const bench = () => setUpBench(daemon);
  type Bench = Awaited<ReturnType<typeof bench>>;
  const submitFrom = ({ ticket, type, agent }: Bench, parent: { taskId: string; attempt: number }, count: number) =>
    agent.client.task.submit({
      ticketId: ticket.id,
      tasks: Array.from({ length: count }, () => ({ type })),
      parent: { taskId: parent.taskId, attempt: parent.attempt },
    });

  test('are bounded in depth, with the field, the value and a remedy in the refusal', async () => {
    const work = await bench();
    await work.submit({});
    for (let depth = 1; depth <= limits.taskDepthMax; depth += 1) {
      const claim = await work.agent.claimOne();
      await submitFrom(work, claim, 1);
      await work.agent.complete(claim);
    }

    const refused = submitFrom(work, await work.agent.claimOne(), 1);

    await expect(refused).rejects.toMatchObject({
      kind: 'limit_exceeded',
      data: {
        setting: 'taskDepthMax',
        limit: 2,
        value: 3,
        fields: [{ path: 'parent' }],
        message: expect.stringContaining('nearer') as string,
      },
    });
  });

  test('are bounded in number over all attempts of a task, and one submission too many changes nothing', async () => {
    const work = await bench();
    await work.submit({ priority: 'CRITICAL' });
    const first = await work.agent.claimOne();
    await submitFrom(work, first, 3);
    await work.agent.client.task.release({ taskId: first.taskId, attempt: first.attempt });
    const second = await work.agent.claimOne();

    const refused = await submitFrom(work, second, 3).catch((error: unknown) => error);
    const accepted = await submitFrom(work, second, 2);

    expect(second).toMatchObject({ taskId: first.taskId, attempt: 2 });
    expect(refused).toMatchObject({
      kind: 'limit_exceeded',
      data: { setting: 'taskChildrenMax', limit: 5, value: 6, fields: [{ path: 'tasks' }] },
    });
    expect(accepted.tasks).toHaveLength(2);
    expect((await daemon.client.task.list({ ticketId: work.ticket.id })).tasks).toHaveLength(6);
  });

  test('that were submitted at once are counted in turn', async () => {
    const work = await bench();
    await work.submit({});
    const parent = await work.agent.claimOne();

    const outcomes = await Promise.all(Array.from({ length: 8 }, () => outcomeOf(submitFrom(work, parent, 1))));

    expect(outcomes.filter((outcome) => outcome === 'accepted')).toHaveLength(limits.taskChildrenMax);
    expect(outcomes.filter((outcome) => outcome === 'limit_exceeded')).toHaveLength(8 - limits.taskChildrenMax);
  });
});

describe('the open tasks of a ticket', () => {
  const many = (count: number) => Array.from({ length: count }, () => ({}));

  test('are bounded, and those that have ended make room', async () => {
    const { ticket, agent, submit } = await setUpBench(daemon, { capacity: 100 });
    await submit(...many(limits.ticketTasksMax));
    const refused = await submit({}).catch((error: unknown) => error);
    for (const claim of await agent.claim({ max: 10 })) await agent.complete(claim);

    await submit(...many(10));

    expect(refused).toMatchObject({
      kind: 'limit_exceeded',
      data: {
        setting: 'ticketTasksMax',
        limit: 40,
        value: 41,
        fields: [{ path: 'tasks' }],
        message: expect.stringContaining('has 40') as string,
      },
    });
    expect(await outcomeOf(submit({}))).toBe('limit_exceeded');
    expect((await daemon.client.task.list({ ticketId: ticket.id })).tasks).toHaveLength(50);
  });

  test('are counted with those that were reopened', async () => {
    const { agent, submit } = await setUpBench(daemon);
    const [first] = await submit({ ref: 'first', maxAttempts: 1, priority: 'CRITICAL' }, ...many(19).map(() => ({ dependsOn: ['first'] })));
    await agent.fail(await agent.claimOne());
    await submit(...many(20));
    await daemon.client.task.retry({ taskId: first! });

    expect(await outcomeOf(submit({}))).toBe('limit_exceeded');
  });

  test('are bounded also when they are submitted at once', async () => {
    const { ticket, submit } = await setUpBench(daemon);

    const outcomes = await Promise.all(Array.from({ length: 60 }, () => outcomeOf(submit({}))));

    expect(outcomes.filter((outcome) => outcome === 'accepted')).toHaveLength(limits.ticketTasksMax);
    expect((await daemon.client.task.list({ ticketId: ticket.id })).tasks).toHaveLength(limits.ticketTasksMax);
  });
});
