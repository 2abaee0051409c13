import '../support/leaks.ts';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { NewTaskInput, TaskDetails } from '@baton/protocol';
import { runCommandAgent } from '@baton/sdk';
import { createLog } from '../../sdk/src/agent/agent-log.ts';
import type { AgentActivity } from '../../sdk/src/agent/serve-agent.ts';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { eventually } from '../support/eventually.ts';
import { type FixtureProcessOptions, startFixtureProcess } from '../support/fixture-agent.ts';
import { createInbox } from '../support/inbox.ts';
import { openWay } from '../support/way.ts';
import { createTicketIn } from '../support/work.ts';

let daemon: Daemon;
/** Gives an agent up soon; on the other no lease ends, however long a process takes to start. */
let hasty: Daemon;
beforeAll(async () => {
  const config = { heartbeatMs: 200, backoffBaseMs: 50, backoffCapMs: 100, sweepMs: 200 };
  daemon = await startDaemon({ config });
  hasty = await startDaemon({ config: { ...config, leaseMs: 2_000 } });
});
afterAll(async () => {
  await daemon.stop();
  await hasty.stop();
});

const startAgentProcess = (options: FixtureProcessOptions = {}) => startFixtureProcess(daemon, options);

const submit = (...tasks: NewTaskInput[]) => submitTo(daemon, ...tasks);

async function submitTo({ client }: Daemon, ...tasks: NewTaskInput[]): Promise<string[]> {
  const ticket = await createTicketIn(client, 'TESTING');
  return (await client.task.submit({ ticketId: ticket.id, tasks })).tasks.map(({ id }) => id);
}

const untilState = (taskId: string, ...states: TaskDetails['state'][]) => untilStateAt(daemon, taskId, ...states);

const untilStateAt = ({ client }: Daemon, taskId: string, ...states: TaskDetails['state'][]) =>
  eventually(async () => {
    const task = await client.task.get({ taskId });
    if (!states.includes(task.state)) throw new Error(`The task is ${task.state}: ${JSON.stringify(task.error ?? task.attempts)}`);
    return task;
  });

/** Between two looks it may have been finished already. */
const untilBegun = (taskId: string) => untilState(taskId, 'running', 'completed');

const saying = (text: string) => (line: string) => line.includes(text);

test('a module runs itself, and SIGTERM lets it finish and end with exit code 0', async () => {
  const { child, exited } = startAgentProcess();
  const [taskId] = await submit({ type: 'nap', input: { ms: 1_000 } });
  await untilBegun(taskId!);

  child.kill('SIGTERM');

  expect(await exited).toEqual({ code: 0, signal: null });
  expect(await daemon.client.task.get({ taskId: taskId! })).toMatchObject({ state: 'completed' });
});

test('a second signal ends it at once', async () => {
  const { child, lines, exited } = startAgentProcess();
  const [taskId] = await submit({ type: 'wait' });
  await lines.waitFor(saying('waiting'), 'the task to begin');

  child.kill('SIGTERM');
  await lines.waitFor(saying('draining'), 'the drain');
  child.kill('SIGTERM');

  expect(await exited).toEqual({ code: 143, signal: null });
  await daemon.client.task.cancel({ taskId: taskId! });
});

test('W12 kill -9 of an agent: another takes its task over within the lease and a little', async () => {
  const { child, lines, exited } = startFixtureProcess(hasty);
  const [taskId] = await submitTo(hasty, { type: 'wait' });
  await lines.waitFor(saying('waiting'), 'the task to begin');

  child.kill('SIGKILL');
  await exited;
  const { attempt } = await hasty.client.task.get({ taskId: taskId! });
  const other = await hasty.connectAgent({ capabilities: ['wait'] });
  // In short waits: each call keeps the session of this agent, which has no heart, alive.
  const claim = await eventually(async () => {
    const [found] = await other.claim({ waitMs: 300 });
    if (found === undefined) throw new Error('There is nothing to claim.');
    return found;
  });

  expect(claim).toMatchObject({ taskId: taskId!, attempt: attempt + 1 });
  await other.complete(claim);
});

test('the death of the parent ends an agent and its task', async () => {
  const { child, lines, exited } = startAgentProcess({ isChild: true });
  const [taskId] = await submit({ type: 'wait' });
  await lines.waitFor(saying('waiting'), 'the task to begin');

  child.disconnect();

  const { code, signal } = await exited;
  expect([code, signal]).toSatisfy(([code, signal]: unknown[]) => code === 1 || signal === 'SIGKILL');
  expect(lines.items).toContainEqual(expect.stringContaining('stopping: draining'));
  await daemon.client.task.cancel({ taskId: taskId! });
});

test('a dropped connection costs nothing: the task goes on and its session too', async () => {
  await using way = await openWay(daemon.url);
  const { child, lines, exited } = startAgentProcess({ url: way.url });
  const [taskId] = await submit({ type: 'nap', input: { ms: 1_000 } });
  await untilBegun(taskId!);

  way.cut();

  await lines.waitFor(saying('the session goes on'), 'the session to be taken up');
  expect(await untilState(taskId!, 'completed')).toMatchObject({ attempt: 1 });
  child.kill('SIGTERM');
  await exited;
});

test('a connection that is gone for longer than the lease costs the attempt, and the task hears of it', async () => {
  await using way = await openWay(hasty.url);
  const { child, lines, exited } = startFixtureProcess(hasty, { url: way.url });
  const [taskId] = await submitTo(hasty, { type: 'wait', maxAttempts: 1 });
  await lines.waitFor(saying('waiting'), 'the task to begin');

  way.close();
  await untilStateAt(hasty, taskId!, 'failed');
  way.open();

  await lines.waitFor(saying('stopping: lease_lost'), 'the task to hear of it');
  child.kill('SIGTERM');
  await exited;
});

test('a command agent does tasks with a program', async () => {
  const program = `
    const { task } = JSON.parse(require('node:fs').readFileSync(0, 'utf8'));
    if (task.input.code) process.exit(task.input.code);
    console.log(JSON.stringify({ output: { attempt: Number(process.env.BATON_ATTEMPT), url: process.env.BATON_URL }, summary: 'Done by a program.' }))`;
  const drain = new AbortController();
  const activities = createInbox<AgentActivity>(({ kind }) => kind);
  const ended = runCommandAgent({
    name: 'program',
    capabilities: ['program'],
    command: [process.execPath, '-e', program],
    url: daemon.url,
    tokenFile: daemon.tokenFile,
    watchProcess: false,
    signal: drain.signal,
    onActivity: activities.put,
    log: createLog(() => {}),
  });

  const [good, bad] = await submit({ type: 'program' }, { type: 'program', input: { code: 65 } });

  expect(await untilState(good!, 'completed')).toMatchObject({ output: { attempt: 1, url: daemon.url }, summary: 'Done by a program.' });
  expect(await untilState(bad!, 'failed')).toMatchObject({ attempt: 1, error: { code: 'command_failed', details: { exitCode: 65 } } });
  drain.abort();
  await ended;
});
