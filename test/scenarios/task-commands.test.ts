import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runBatonAt } from '../support/command.ts';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { setUpBench } from '../support/work.ts';

let daemon: Daemon;
beforeAll(async () => {
  daemon = await startDaemon();
});
afterAll(() => daemon.stop());

const baton = (...args: readonly string[]) => runBatonAt(daemon, ...args);

/** A ticket with a task that has failed for good. */
async function setUpFailure(code: string) {
  const bench = await setUpBench(daemon);
  const [taskId] = await bench.submit({ title: 'Fetch the file', ref: 'fetch', maxAttempts: 1 });
  const claim = await bench.agent.claimOne();
  const error = { code, message: 'The disk is full.\nSee the log.' };
  await bench.agent.client.task.fail({ taskId: claim.taskId, attempt: claim.attempt, error });
  return { ...bench, taskId: taskId! };
}

describe('baton dead-letters', () => {
  test('lists what has failed for good, and why', async () => {
    const { ticket, taskId, agent } = await setUpFailure('disk_full');

    const { code, stdout } = await baton('dead-letters', '--ticket', ticket.id);

    const [head, row] = stdout.split('\n');
    expect(code).toBe(0);
    expect(head).toMatch(/^ID +PHASE +TASK +ATTEMPTS +AGENT +FAILED +CODE +ERROR$/);
    expect(row).toMatch(
      new RegExp(`^${taskId} +REQUIREMENTS \\(2\\) +Fetch the file +1/1 +${agent.name} +\\S+Z +disk_full +The disk is full\\.$`),
    );
  });

  test('says of a phase that was left that it was', async () => {
    const { ticket } = await setUpFailure('too_late');
    await daemon.client.ticket.transition({ ticketId: ticket.id, to: 'BLOCKED' });

    expect((await baton('dead-letters', '--ticket', ticket.id)).stdout).toContain('REQUIREMENTS (2, left)');
  });

  test('chooses by code, and prints JSON', async () => {
    const { taskId } = await setUpFailure('rare');

    const { stdout } = await baton('dead-letters', '--code', 'rare', '--json');

    expect(JSON.parse(stdout)).toMatchObject([
      { taskId, error: { code: 'rare', message: 'The disk is full.\nSee the log.' }, isRetryable: true },
    ]);
    expect((await baton('dead-letters', '--code', 'unheard_of')).stdout).toBe('No task has failed for good.\n');
  });
});

describe('baton retry', () => {
  const notEnded = (taskId: string) =>
    `It is ready. Only what has failed, was cancelled or was skipped is tried again; \`baton explain ${taskId}\` says how it stands.`;

  test('gives tasks a new life, tells of those that are refused, and then ends with 1', async () => {
    const { ticket, taskId, submit } = await setUpFailure('disk_full');
    const [waiting] = await submit({});

    const { code, stdout, stderr } = await baton('retry', waiting!, taskId, '--reason', 'There is room again.');

    expect({ code, stdout }).toEqual({ code: 1, stdout: `${taskId} is ready again.\n` });
    expect(stderr).toBe(`${waiting}: ${notEnded(waiting!)}\n`);
    const { events } = await daemon.client.event.list({ ticketId: ticket.id });
    expect(events.findLast(({ name }) => name === 'task.reopened')!.data).toMatchObject({ taskId, reason: 'There is room again.' });
  });

  test('prints JSON', async () => {
    const { taskId, submit } = await setUpFailure('disk_full');
    const [waiting] = await submit({});

    const { code, stdout } = await baton('retry', taskId, waiting!, '--json');

    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toEqual([
      { taskId, state: 'ready' },
      { taskId: waiting, error: { kind: 'task_state_refused', message: notEnded(waiting!) } },
    ]);
  });

  test('says of what is done, or of a phase that was left, that it cannot be, and what to do', async () => {
    const { ticket, agent, submit } = await setUpBench(daemon);
    const [done, failed] = await submit({}, { maxAttempts: 1 });
    await agent.complete(await agent.claimOne());
    await agent.fail(await agent.claimOne(), { message: 'No parser.' });

    const refused = await baton('retry', done!);
    const cancelled = await baton('cancel', done!);
    await daemon.client.ticket.transition({ ticketId: ticket.id, to: 'BLOCKED' });

    expect(refused).toMatchObject({ code: 1, stderr: `${done}: It is completed, and nothing is left to try again.\n` });
    expect(cancelled).toMatchObject({ code: 1, stderr: `${done}: It is completed, and nothing is left to cancel.\n` });
    expect((await baton('retry', failed!)).stderr).toBe(
      `${failed}: The ticket has left its phase, REQUIREMENTS. Submit it anew in the phase of now.\n`,
    );
  });

  test('says of the beginning of an id that it is one', async () => {
    expect((await baton('retry', '01997a3e-7c1b')).stderr).toBe(
      'TASK 01997a3e-7c1b is only the beginning of an id: give the whole of it, as `baton tasks` lists it.\n',
    );
    expect((await baton('explain', '01997a3e')).stderr).toContain('the beginning of a task');
  });

  test('asks nobody about what is no id', async () => {
    expect(await baton('retry', 'fetch')).toEqual({
      code: 2,
      stdout: '',
      stderr: 'TASK fetch is not the id of a task; `baton tasks` lists them with their ids.\n',
    });
  });
});

test('baton cancel cancels tasks, and what waits for them where it is told to', async () => {
  const { submit } = await setUpBench(daemon);
  const [alone, first] = await submit({}, { ref: 'first' }, { ref: 'second', dependsOn: ['first'] }, { dependsOn: ['second'] });

  const one = await baton('cancel', alone!);
  const three = await baton('cancel', first!, '--dependents', '--reason', 'Not needed.');

  expect(one).toEqual({ code: 0, stdout: `${alone} is cancelled.\n`, stderr: '' });
  expect(three).toEqual({ code: 0, stdout: `${first} is cancelled, and 2 more with it.\n`, stderr: '' });
  expect(await daemon.client.task.get({ taskId: first! })).toMatchObject({ state: 'cancelled', reason: 'Not needed.' });
});

describe('baton tasks', () => {
  test('says when what waits for its time may run', async () => {
    const { ticket, agent, submit } = await setUpBench(daemon);
    const [failing] = await submit({ title: 'Fetch' });
    await agent.fail(await agent.claimOne(), { message: 'The disk is full.' });
    const [late] = await submit({ title: 'Later', runAt: new Date(Date.now() + 95 * 60_000).toISOString() });

    const { stdout } = await baton('tasks', '--ticket', ticket.id);

    const row = (id: string) => stdout.split('\n').find((line) => line.startsWith(id));
    expect(row(late!)).toMatch(/ Later +ready +0\/3 +may run in 1 h 3\d min$/);
    expect(row(failing!)).toMatch(/ Fetch +ready .*(may run in .+: )?The disk is full\.$/);
  });

  test('chooses by state', async () => {
    const { ticket, agent, submit } = await setUpBench(daemon);
    const [running, waiting] = await submit({ ref: 'a' }, { dependsOn: ['a'] });
    await agent.claimOne();
    const idsOf = async (states: string) =>
      (JSON.parse((await baton('tasks', '--ticket', ticket.id, '--state', states, '--json')).stdout) as { id: string }[]).map(
        ({ id }) => id,
      );

    expect(await idsOf('running')).toEqual([running]);
    expect(await idsOf('running, blocked')).toEqual([running, waiting]);
    expect((await baton('tasks', '--ticket', ticket.id, '--state', 'failed')).stdout).toBe('No task is failed.\n');
    expect(await baton('tasks', '--state', 'waiting')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('Expected some of') as string,
    });
  });
});
