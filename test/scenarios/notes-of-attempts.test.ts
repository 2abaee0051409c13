import '../support/leaks.ts';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { NewTaskInput, TaskDetails } from '@baton/protocol';
import { runCommandAgent } from '@baton/sdk';
import { createLog } from '../../sdk/src/agent/agent-log.ts';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { eventually } from '../support/eventually.ts';
import { openFixtureAgent, startFixtureProcess } from '../support/fixture-agent.ts';
import { createInbox } from '../support/inbox.ts';
import { createTicketIn } from '../support/work.ts';

let daemon: Daemon;
let database: Client;
beforeAll(async () => {
  // A task that hears nothing is stopped by force after the difference of the first two. The coordinator leaves time-outs to the agents.
  daemon = await startDaemon({ config: { heartbeatMs: 2_500, leaseMs: 5_000, sweepMs: 60_000 } });
  database = new Client(daemon.databaseUrl);
  await database.connect();
});
afterAll(async () => {
  await database.end();
  await daemon.stop();
});

async function submit(task: NewTaskInput): Promise<{ taskId: string; ticketId: string }> {
  const { id: ticketId } = await createTicketIn(daemon.client, 'TESTING');
  const { tasks } = await daemon.client.task.submit({ ticketId, tasks: [task] });
  return { taskId: tasks[0]!.id, ticketId };
}

const untilState = (taskId: string, state: TaskDetails['state']) =>
  eventually(async () => {
    const task = await daemon.client.task.get({ taskId });
    expect(task.state).toBe(state);
    return task;
  });

const packOf = async (ticketId: string) => (await daemon.client.context.get({ ticketId })).text;

test.each([
  ['hears that it must stop', 'wait', 'waiting'],
  ['has to be stopped by force', 'spin', 'spinning'],
])('what a task has noted that %s when its agent drains reaches its next attempt', async (_how, type, line) => {
  const agent = await openFixtureAgent(daemon, { drainMs: 0 });
  const { taskId, ticketId } = await submit({ type, maxAttempts: 1 });
  await agent.lines.waitFor((each) => each.endsWith(line), 'the task to begin');

  agent.drain();
  await agent.ended;

  expect(await daemon.client.task.get({ taskId })).toMatchObject({ state: 'ready', attempts: [{ outcome: 'released' }] });
  const { items } = await daemon.client.context.list({ ticketId });
  expect(items).toMatchObject([{ text: 'It was begun.', taskId, attempt: 1, source: 'said' }]);
  const next = await daemon.connectAgent({ capabilities: [type] });
  const claim = await next.claimOne();
  expect(claim).toMatchObject({ taskId, attempt: 2 });
  expect((await next.client.context.get({ ticketId, forPhase: claim.phase })).text).toBe('## Facts\n- It was begun. [c:1, TESTING]\n');
  await next.complete(claim);
});

test('what a task noted before it ended its thread is kept', async () => {
  await using _agent = await openFixtureAgent(daemon);

  const { taskId, ticketId } = await submit({ type: 'fail', input: { how: 'exit' }, maxAttempts: 1 });

  expect(await untilState(taskId, 'failed')).toMatchObject({ error: { code: 'thread_failed' } });
  expect(await packOf(ticketId)).toBe('## Facts\n- It was tried. [c:1, TESTING]\n');
});

test.each(['wait', 'spin'])('what the task %s noted is kept where its agent stops it for taking too long', async (type) => {
  await using agent = await openFixtureAgent(daemon);

  // An attempt whose time is over before it has begun is followed by another.
  const { taskId, ticketId } = await submit({ type, timeoutMs: 500, maxAttempts: 100 });
  const line = await agent.lines.waitFor((each) => /#\d+: (waiting|spinning)$/.test(each), 'an attempt to begin');
  const number = Number(/#(\d+): /.exec(line)?.[1]);

  await eventually(async () => {
    const { attempts } = await daemon.client.task.get({ taskId });
    expect(attempts.find((each) => each.number === number)).toMatchObject({ error: { code: 'timed_out' } });
  });
  const { items } = await daemon.client.context.list({ ticketId, sources: ['said'] });
  expect(items).toContainEqual(expect.objectContaining({ text: 'It was begun.', taskId, attempt: number }));
  await daemon.client.task.cancel({ taskId });
});

test.each([
  ['hears nothing', 'spin', 'spinning'],
  ['waits for a program', 'block', 'blocking'],
])('what a task noted that %s is kept where the process that started its agent dies', async (_how, type, line) => {
  await using agent = startFixtureProcess(daemon, { isChild: true });
  const { taskId, ticketId } = await submit({ type, maxAttempts: 1 });
  await agent.lines.waitFor((each) => each.endsWith(line), 'the task to begin');

  agent.child.disconnect();
  await agent.exited;

  expect(await packOf(ticketId)).toBe('## Facts\n- It was begun. [c:1, TESTING]\n');
  expect(await daemon.client.task.get({ taskId })).toMatchObject({ state: 'ready', attempts: [{ outcome: 'released' }] });
  await daemon.client.task.cancel({ taskId });
});

test('what a program prints when its agent drains is kept', async () => {
  const program = `
    process.on('SIGTERM', () => { console.log(JSON.stringify({ context: [{ kind: 'fact', text: 'It was begun.' }] })); process.exit(); });
    setInterval(() => {}, 1_000);
    console.error('working');`;
  const lines = createInbox<string>((line) => line);
  const drain = new AbortController();
  const ended = runCommandAgent({
    name: 'stoppable',
    capabilities: ['stoppable'],
    command: [process.execPath, '-e', program],
    url: daemon.url,
    tokenFile: daemon.tokenFile,
    watchProcess: false,
    drainMs: 0,
    signal: drain.signal,
    log: createLog((_level, message) => lines.put(message)),
  });
  const { taskId, ticketId } = await submit({ type: 'stoppable' });
  await lines.waitFor((line) => line.endsWith('working'), 'the program to begin');

  drain.abort();
  await ended;

  expect(await daemon.client.task.get({ taskId })).toMatchObject({ state: 'ready', attempts: [{ outcome: 'released' }] });
  expect(await packOf(ticketId)).toBe('## Facts\n- It was begun. [c:1, TESTING]\n');
  await daemon.client.task.cancel({ taskId });
});

describe('what a task has noted whose attempt the coordinator ends', () => {
  const itemsOf = async (ticketId: string) => (await daemon.client.context.list({ ticketId, sources: ['said'] })).items;
  const untilNoted = (ticketId: string) =>
    eventually(async () => expect(await itemsOf(ticketId)).toMatchObject([{ text: 'It was begun.' }]));
  const begin = async (task: NewTaskInput, at = daemon) => {
    const agent = await openFixtureAgent(at);
    const submitted = await submit(task);
    await agent.lines.waitFor((each) => /(waiting|spinning)$/.test(each), 'the task to begin');
    return { agent, ...submitted };
  };

  test('is kept where the task is cancelled', async () => {
    const { agent, taskId, ticketId } = await begin({ type: 'wait' });
    await using _agent = agent;

    await daemon.client.task.cancel({ taskId });

    await untilNoted(ticketId);
    expect(await daemon.client.task.get({ taskId })).toMatchObject({ state: 'cancelled' });
  });

  test('is kept where its phase is left', async () => {
    const { agent, ticketId } = await begin({ type: 'wait' });
    await using _agent = agent;

    await daemon.client.ticket.transition({ ticketId, to: 'DEPLOYMENT', force: true, reason: 'The test wants it.' });

    await untilNoted(ticketId);
  });

  test('is kept where it takes longer than allowed and hears nothing', async () => {
    await using hasty = await startDaemon({
      config: { heartbeatMs: 2_500, leaseMs: 5_000, sweepMs: 100 },
      databaseUrl: daemon.databaseUrl!,
    });
    const { agent, taskId, ticketId } = await begin({ type: 'spin', maxAttempts: 1 }, hasty);
    await using _agent = agent;

    await database.query('update tasks set deadline_at = clock_timestamp() where id = $1', [taskId]);

    await untilNoted(ticketId);
    expect(await daemon.client.task.get({ taskId })).toMatchObject({ state: 'failed', error: { code: 'timed_out' } });
  });
});

test('what a task notes is stored while it goes on, so that the death of its agent takes nothing along', async () => {
  await using agent = startFixtureProcess(daemon);
  const { taskId, ticketId } = await submit({ type: 'spin' });
  await agent.lines.waitFor((each) => each.endsWith('spinning'), 'the task to begin');

  const pack = await eventually(async () => {
    const text = await packOf(ticketId);
    expect(text).not.toBe('');
    return text;
  });

  expect(pack).toBe('## Facts\n- It was begun. [c:1, TESTING]\n');
  expect(await daemon.client.task.get({ taskId })).toMatchObject({ state: 'running', attempt: 1 });
});
