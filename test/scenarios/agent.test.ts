import '../support/leaks.ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { NewTaskInput, TaskDetails } from '@baton/protocol';
import type { RunAgentOptions } from '@baton/sdk';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { eventually } from '../support/eventually.ts';
import { openFixtureAgent } from '../support/fixture-agent.ts';
import { createTicketIn } from '../support/work.ts';

let daemon: Daemon;
beforeAll(async () => {
  daemon = await startDaemon({ config: { heartbeatMs: 200, leaseMs: 3_000, backoffBaseMs: 50, backoffCapMs: 100, sweepMs: 200 } });
});
afterAll(() => daemon.stop());

const openAgent = (options: RunAgentOptions = {}) => openFixtureAgent(daemon, options);

async function submit(...tasks: NewTaskInput[]): Promise<string[]> {
  const ticket = await createTicketIn(daemon.client, 'TESTING');
  return (await daemon.client.task.submit({ ticketId: ticket.id, tasks })).tasks.map(({ id }) => id);
}

/** The task once it is in this state, or in any that it does not leave. */
const untilState = (taskId: string, state: TaskDetails['state']) =>
  eventually(async () => {
    const task = await daemon.client.task.get({ taskId });
    if (task.state !== state) throw new Error(`The task is ${task.state}: ${JSON.stringify(task.error ?? task.attempts)}`);
    return task;
  });

describe('an SDK agent', () => {
  test('brings home the output, the artifacts, the notes and the summary of a task', async () => {
    await using _agent = await openAgent();

    const [taskId] = await submit({ type: 'add', input: { a: 1, b: 2 } });
    const task = await untilState(taskId!, 'completed');

    expect(task).toMatchObject({ output: { sum: 3 }, summary: 'Added 1 and 2.', attempt: 1 });
    const { artifacts } = await daemon.client.artifact.list({ ticketId: task.ticketId });
    expect(artifacts).toMatchObject([{ type: 'sum', taskId: taskId! }]);
    const { items } = await daemon.client.context.list({ ticketId: task.ticketId });
    expect(items).toMatchObject([
      { kind: 'fact', text: '1 + 2 = 3', source: 'said' },
      { text: 'Added 1 and 2.', source: 'summary' },
      { references: [{ kind: 'artifact', value: artifacts[0]!.sha256 }], source: 'artifact' },
    ]);
  });

  test('input that does not fit fails the task for good and names the field', async () => {
    await using _agent = await openAgent();

    const [taskId] = await submit({ type: 'add', input: { a: 1, b: 'two' } });
    const task = await untilState(taskId!, 'failed');

    expect(task).toMatchObject({ attempt: 1, error: { code: 'input_invalid', message: expect.stringContaining('b: ') } });
  });

  test('a task type that the agent does not have fails for good and lists those it has', async () => {
    await using _agent = await openAgent();

    const [taskId] = await submit({ type: 'fly', capabilities: ['arithmetic'] });
    const task = await untilState(taskId!, 'failed');

    expect(task).toMatchObject({ attempt: 1, error: { code: 'task_type_unknown', message: expect.stringContaining('add, add-inline') } });
  });

  test('a task that fails once is tried again', async () => {
    await using _agent = await openAgent();

    const [taskId] = await submit({ type: 'flaky' });
    const task = await untilState(taskId!, 'completed');

    expect(task.output).toEqual({ attempt: 2 });
    expect(task.attempts).toMatchObject([{ outcome: 'failed', error: { message: 'not yet' } }, { outcome: 'completed' }]);
  });

  test('Q5 a permanent error is not tried again', async () => {
    await using _agent = await openAgent();

    const [taskId] = await submit({ type: 'fail', input: { how: 'permanent' } });
    const task = await untilState(taskId!, 'failed');

    expect(task).toMatchObject({ attempt: 1, error: { code: 'hopeless', message: 'no use' } });
  });

  test('Q2 a cancelled task hears it through its signal, and stays cancelled', async () => {
    await using agent = await openAgent();
    const [taskId] = await submit({ type: 'wait' });
    await agent.lines.waitFor((line) => line.endsWith('waiting'), 'the task to begin');

    await daemon.client.task.cancel({ taskId: taskId! });

    await agent.lines.waitFor((line) => line.endsWith('stopping: cancelled'), 'the task to hear of it');
    await agent.activities.waitFor((activity) => activity.kind === 'ended' && activity.end === 'dropped', 'the end of the attempt');
    expect(await daemon.client.task.get({ taskId: taskId! })).toMatchObject({ state: 'cancelled' });
  });

  test('Q6 a task that takes longer than it may is told to stop and has timed out', async () => {
    await using agent = await openAgent();
    // A thread that is there already: otherwise its start may take all the time there is.
    const [first] = await submit({ type: 'add', input: { a: 1, b: 2 } });
    await untilState(first!, 'completed');

    const [taskId] = await submit({ type: 'wait', timeoutMs: 1_000, maxAttempts: 1 });
    const task = await untilState(taskId!, 'failed');

    expect(task).toMatchObject({ error: { code: 'timed_out' } });
    await agent.lines.waitFor((line) => line.endsWith('stopping: timed_out'), 'the task to hear of it');
  });

  test('a thread that hangs is found by the time-out of its attempt and taken away after the grace, and the next task finds another', async () => {
    await using agent = await openAgent({ capacity: 1 });
    const [hung] = await submit({ type: 'spin', input: { ms: 600_000 }, timeoutMs: 500, maxAttempts: 1 });

    const failed = await untilState(hung!, 'failed');
    const [next] = await submit({ type: 'add', input: { a: 1, b: 2 } });

    expect(failed.attempts).toMatchObject([{ outcome: 'timed_out' }]);
    expect(await untilState(next!, 'completed')).toMatchObject({ output: { sum: 3 } });
    expect(agent.activities.items).toContainEqual(expect.objectContaining({ kind: 'ended', end: 'dropped' }));
  });

  test('a task whose phase is left is told so through its signal', async () => {
    await using agent = await openAgent();
    const [taskId] = await submit({ type: 'wait' });
    await agent.lines.waitFor((line) => line.endsWith('waiting'), 'the task to begin');
    const { ticketId } = await daemon.client.task.get({ taskId: taskId! });

    await daemon.client.ticket.transition({ ticketId, to: 'BLOCKED' });

    await agent.lines.waitFor((line) => line.endsWith('stopping: phase_closed'), 'the task to hear of it');
    expect(await daemon.client.task.get({ taskId: taskId! })).toMatchObject({ state: 'cancelled' });
  });

  test('W5 W7 W9 ten tasks on three slots: never more than three at once, each once', async () => {
    await using agent = await openAgent({ capacity: 3 });

    const taskIds = await submit(...Array.from({ length: 10 }, () => ({ type: 'nap', input: { ms: 100 } })));
    for (const taskId of taskIds) expect((await untilState(taskId, 'completed')).attempt).toBe(1);

    let running = 0;
    let most = 0;
    for (const { kind } of agent.activities.items) {
      if (kind === 'claimed') most = Math.max(most, ++running);
      if (kind === 'ended') running--;
    }
    expect(most).toBe(3);
  });

  test('a task takes a lock, spawns a task, and reads what is known', async () => {
    await using _agent = await openAgent();

    const [taskId] = await submit({ type: 'talk' });
    const task = await untilState(taskId!, 'completed');

    expect(task.output).toMatchObject({ fence: expect.any(Number), spawned: 1, text: expect.any(String) });
    expect(await daemon.client.lock.get({ key: 'db:dev' })).toMatchObject({ holders: [] });
    const { tasks } = await daemon.client.task.list({ ticketId: task.ticketId });
    const child = tasks.find(({ parentTaskId }) => parentTaskId === taskId);
    expect(child).toMatchObject({ type: 'add', phase: 'TESTING' });
    expect(await untilState(child!.id, 'completed')).toMatchObject({ output: { sum: 3 } });
  });
});

describe('an agent that leaves', () => {
  test('W13 finishes what runs, takes nothing new and deregisters', async () => {
    const name = `leaver-${crypto.randomUUID().slice(0, 8)}`;
    await using agent = await openAgent({ capacity: 1, name });
    const [first, second] = await submit({ type: 'nap', input: { ms: 500 }, priority: 'HIGH' }, { type: 'nap', input: { ms: 500 } });
    await agent.activities.waitFor(({ kind }) => kind === 'claimed', 'the claim');

    agent.drain();
    await agent.ended;

    expect(await daemon.client.task.get({ taskId: first! })).toMatchObject({ state: 'completed' });
    expect(await daemon.client.task.get({ taskId: second! })).toMatchObject({ state: 'ready', attempt: 0 });
    // Nobody but itself has ended its session, whose lease still runs.
    const { agents } = await daemon.client.agent.list({ all: true });
    expect(agents.find((each) => each.name === name)).toMatchObject({ status: 'lost', running: 0 });
    await daemon.client.task.cancel({ taskId: second! });
  });

  test('gives back what does not finish in time, and the attempt does not count', async () => {
    const agent = await openAgent({ drainMs: 100 });
    const [taskId] = await submit({ type: 'wait', maxAttempts: 1 });
    await agent.lines.waitFor((line) => line.endsWith('waiting'), 'the task to begin');

    agent.drain();
    await agent.ended;

    expect(agent.lines.items).toContainEqual(expect.stringMatching(/stopping: draining$/));
    expect(await daemon.client.task.get({ taskId: taskId! })).toMatchObject({ state: 'ready' });
    await daemon.client.task.cancel({ taskId: taskId! });
  });

  test('makes room for a second process of its name', async () => {
    const name = `twin-${crypto.randomUUID().slice(0, 8)}`;
    const first = await openAgent({ name });
    await using second = await openAgent({ name });

    await expect(first.ended).rejects.toMatchObject({ name: 'AgentReplacedError' });
    const beats = () => second.activities.items.filter(({ kind }) => kind === 'beat').length;
    await eventually(() => expect(beats()).toBeGreaterThanOrEqual(2));
    expect(second.activities.items.filter(({ kind }) => kind === 'registered')).toHaveLength(1);
  });

  test('ends when it is terminated, and does not come back', async () => {
    const name = `terminated-${crypto.randomUUID()}`;
    const agent = await openAgent({ name });
    const found = (await daemon.client.agent.search({ text: name })).agents.map(({ agent }) => agent.id);

    await daemon.client.agent.setState({ agentId: found[0]!, state: 'terminated', reason: 'It writes nonsense.' });

    await expect(agent.ended).rejects.toMatchObject({ kind: 'agent_terminated' });
    expect(agent.activities.items.filter(({ kind }) => kind === 'registered')).toHaveLength(1);
  });
});
