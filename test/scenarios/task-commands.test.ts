import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runProgram } from '../../coordinator/src/cli/program.ts';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { setUpBench } from '../support/work.ts';

let daemon: Daemon;
beforeAll(async () => {
  daemon = await startDaemon();
});
afterAll(() => daemon.stop());

/** Runs the `baton` command in this process. */
async function baton(...args: readonly string[]) {
  const stdout = new PassThrough();
  const stderr = new PassThrough();
  const shell = { env: {}, stdout, stderr, self: ['node'] as const, onInterrupt: () => () => {}, exitNow: () => {} };
  const code = await runProgram(shell, [...args, '--url', daemon.httpUrl, '--token-file', daemon.tokenFile]);
  stdout.end();
  stderr.end();
  return { code, stdout: await text(stdout), stderr: await text(stderr) };
}

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
  test('gives tasks a new life, tells of those that are refused, and then ends with 1', async () => {
    const { ticket, taskId, submit } = await setUpFailure('disk_full');
    const [waiting] = await submit({});

    const { code, stdout, stderr } = await baton('retry', waiting!, taskId, '--reason', 'There is room again.');

    expect({ code, stdout }).toEqual({ code: 1, stdout: `${taskId} is ready again.\n` });
    expect(stderr).toBe(`${waiting}: The task cannot take this step from its state.\n`);
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
      { taskId: waiting, error: { kind: 'task_state_refused', message: 'The task cannot take this step from its state.' } },
    ]);
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
