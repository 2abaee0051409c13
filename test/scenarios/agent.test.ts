import '../support/leaks.ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { NewTaskInput, TaskDetails } from '@baton/protocol';
import { runAgent, type RunAgentOptions } from '@baton/sdk';
import { createLog } from '../../sdk/src/agent/agent-log.ts';
import type { AgentActivity } from '../../sdk/src/agent/serve-agent.ts';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { createInbox } from '../support/inbox.ts';
import { eventually } from '../support/eventually.ts';
import { createTicketIn } from '../support/work.ts';

const fixture = new URL('../../sdk/src/agent/agent-fixture.ts', import.meta.url);

let daemon: Daemon;
beforeAll(async () => {
  daemon = await startDaemon({ config: { heartbeatMs: 200, leaseMs: 3_000, backoffBaseMs: 50, backoffCapMs: 100, sweepMs: 200 } });
});
afterAll(() => daemon.stop());

/** The fixture agent in this process, with a record of what it does and says. Drains at the end of the block. */
async function openAgent(options: RunAgentOptions = {}) {
  const activities = createInbox<AgentActivity>(({ kind }) => kind);
  const lines = createInbox<string>((line) => line);
  const drain = new AbortController();
  const ended = runAgent(fixture, {
    url: daemon.url,
    token: daemon.token,
    name: `fixture-${crypto.randomUUID().slice(0, 8)}`,
    watchProcess: false,
    signal: drain.signal,
    log: createLog((_level, message) => lines.put(message)),
    onActivity: activities.put,
    ...options,
  });
  const settled = ended.catch((error: unknown) => error);
  await Promise.race([activities.waitFor(({ kind }) => kind === 'registered', 'the registration'), ended]);
  const close = async () => {
    drain.abort();
    await settled;
  };
  return { activities, lines, drain: () => drain.abort(), ended, [Symbol.asyncDispose]: close };
}

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
    expect(items).toMatchObject([{ kind: 'fact', text: '1 + 2 = 3' }]);
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

    const [taskId] = await submit({ type: 'wait', timeoutMs: 500, maxAttempts: 1 });
    const task = await untilState(taskId!, 'failed');

    expect(task).toMatchObject({ error: { code: 'timed_out' } });
    await agent.lines.waitFor((line) => line.endsWith('stopping: timed_out'), 'the task to hear of it');
  });

  test('HM6 the heart beats while a task blocks its thread for longer than the lease', async () => {
    await using agent = await openAgent();

    const [taskId] = await submit({ type: 'spin', input: { ms: 4_000 } });
    const task = await untilState(taskId!, 'completed');

    expect(task.attempt).toBe(1);
    expect(agent.activities.items.filter(({ kind }) => kind === 'beat').length).toBeGreaterThanOrEqual(5);
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
    await using agent = await openAgent({ capacity: 1 });
    const [first, second] = await submit({ type: 'nap', input: { ms: 500 }, priority: 'HIGH' }, { type: 'nap', input: { ms: 500 } });
    await agent.activities.waitFor(({ kind }) => kind === 'claimed', 'the claim');

    agent.drain();
    await agent.ended;

    expect(await daemon.client.task.get({ taskId: first! })).toMatchObject({ state: 'completed' });
    expect(await daemon.client.task.get({ taskId: second! })).toMatchObject({ state: 'ready', attempt: 0 });
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
    await using _second = await openAgent({ name });

    await expect(first.ended).rejects.toMatchObject({ name: 'AgentReplacedError' });
  });
});
