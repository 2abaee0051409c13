import type { NewContextItem } from '@baton/protocol';
import { afterEach, expect, test, vi } from 'vitest';
import { createLog } from './agent-log.ts';
import { answeringClient, newClaim } from './client-fixture.ts';
import { createCommandExecutor } from './command-executor.ts';
import type { Executor } from './executor.ts';
import { TaskAbortedError } from './task-errors.ts';

let executor: Executor | undefined;
afterEach(() => executor?.close());

const lines: string[] = [];
const log = createLog((_level, message) => void lines.push(message));
const notes: string[] = [];
const note = ({ text }: NewContextItem) => void notes.push(text);
const control = (signal = new AbortController().signal, graceMs = 300) => ({ signal, graceMs, log, note });

/** A program of one line, in Node. */
const open = (script: string, command: readonly [string, ...string[]] = [process.execPath, '-e', script]) => {
  executor = createCommandExecutor({
    client: answeringClient({}).client,
    command,
    cwd: undefined,
    exitCodes: {},
    env: { PATH: process.env['PATH'] },
    contextTokens: undefined,
  });
  return executor;
};
const readTask = `const { task } = JSON.parse(require('node:fs').readFileSync(0, 'utf8'));`;

test('the program is given the task and its result is taken', async () => {
  const executor = open(
    `${readTask} console.log(JSON.stringify({ output: { doubled: task.input.n * 2, id: process.env.BATON_TASK_ID, attempt: process.env.BATON_ATTEMPT } }))`,
  );
  const claim = newClaim({ input: { n: 21 }, attempt: 2 });

  expect(await executor.execute(claim, control())).toMatchObject({
    kind: 'completed',
    output: { doubled: 42, id: claim.taskId, attempt: '2' },
  });
});

test.each([
  [65, true],
  [75, false],
  [1, false],
])('exit code %i: permanent is %s, with what was said on standard error', async (code, permanent) => {
  lines.length = 0;

  const outcome = await open(`console.error('bad data'); process.exitCode = ${code}`).execute(newClaim({}), control());

  expect(outcome).toMatchObject({
    kind: 'failed',
    permanent,
    error: { code: 'command_failed', message: expect.stringContaining(`exited with code ${code}:\nbad data`), details: { exitCode: code } },
  });
  expect(lines).toEqual(['bad data']);
});

test('what a program says at last is told without what no coordinator takes', async () => {
  const script = `process.stderr.write(Buffer.from([0, 10])); console.error('a' + '😀'.repeat(300)); process.exitCode = 1`;

  const outcome = await open(script).execute(newClaim({}), control());

  const message = `${process.execPath} exited with code 1:\n\uFFFD\na${'😀'.repeat(199)}`;
  expect(outcome).toMatchObject({ kind: 'failed', error: { message } });
});

test('a program that does not exist is a permanent failure that names it', async () => {
  const outcome = await open('', ['no-such-program-here']).execute(newClaim({}), control());

  expect(outcome).toMatchObject({
    permanent: true,
    error: { code: 'command_not_started', message: expect.stringContaining('no-such-program-here could not be started') },
  });
});

test('a program that reads none of its input is no mistake', async () => {
  expect(await open('').execute(newClaim({ input: { text: 'x'.repeat(1_000_000) } }), control())).toMatchObject({ kind: 'completed' });
});

test('too much output is a permanent failure', async () => {
  const outcome = await open(`process.stdout.write('x'.repeat(5 * 1024 * 1024))`).execute(newClaim({}), control());

  expect(outcome).toMatchObject({ permanent: true, error: { code: 'result_too_large' } });
});

// The programs below hand their standard output on: an attempt settles when it is closed, which is when the last of them has ended.
const deafProgram = `process.on('SIGTERM', () => {}); setInterval(() => {}, 1_000); console.error('ready');`;
const startChild = (script: string) =>
  `require('node:child_process').spawn(process.execPath, ['-e', ${JSON.stringify(script)}], { stdio: 'inherit' });`;

test('a program that ignores being told to stop is killed with all that it started', async () => {
  lines.length = 0;
  const executor = open(`${deafProgram} ${startChild(deafProgram)}`);
  const abort = new AbortController();

  const running = executor.execute(newClaim({}), control(abort.signal));
  await vi.waitFor(() => expect(lines).toEqual(['ready', 'ready']), { timeout: 50_000 });
  abort.abort(new TaskAbortedError('cancelled'));

  expect(await running).toMatchObject({ kind: 'failed', error: { code: 'aborted' } });
});

const printNote = `console.log(JSON.stringify({ context: [{ kind: 'risk', text: 'The disk is full.' }] }));`;

test.each([
  ['succeeds', printNote, 'completed'],
  ['fails', `${printNote} process.exitCode = 1`, 'failed'],
  [
    'is ended by a signal',
    `require('node:fs').writeSync(1, '{"context":[{"kind":"risk","text":"The disk is full."}]}'); process.kill(process.pid, 'SIGKILL')`,
    'failed',
  ],
])('what a program notes is kept where it %s', async (_how, script, kind) => {
  notes.length = 0;

  expect(await open(script).execute(newClaim({}), control())).toMatchObject({ kind });
  expect(notes).toEqual(['The disk is full.']);
});

test('a note that does not fit is logged, and the others are kept', async () => {
  lines.length = 0;
  notes.length = 0;

  const outcome = await open(
    `console.log(JSON.stringify({ context: [{ kind: 'risk', text: '' }, { kind: 'risk', text: 'The disk is full.' }] })); process.exitCode = 1`,
  ).execute(newClaim({}), control());

  expect(outcome).toMatchObject({ kind: 'failed', error: { code: 'command_failed' } });
  expect(notes).toEqual(['The disk is full.']);
  expect(lines).toEqual([expect.stringMatching(/^1 of the notes that the program printed are left out: context\[0\]: .*text: /)]);
});

test('what a program prints when it is told to stop is kept', async () => {
  lines.length = 0;
  notes.length = 0;
  const executor = open(
    `process.on('SIGTERM', () => { ${printNote} process.exit(); }); setInterval(() => {}, 1_000); console.error('ready');`,
  );
  const abort = new AbortController();

  const running = executor.execute(newClaim({}), control(abort.signal, 60_000));
  await vi.waitFor(() => expect(lines).toEqual(['ready']), { timeout: 50_000 });
  abort.abort(new TaskAbortedError('draining'));

  expect(await running).toMatchObject({ kind: 'failed', error: { code: 'aborted' } });
  expect(notes).toEqual(['The disk is full.']);
});

test('what a program leaves running ends with it', async () => {
  const executor = open(`${startChild('setInterval(() => {}, 1_000)')} console.log('{"output":1}'); process.exit();`);

  expect(await executor.execute(newClaim({}), control())).toMatchObject({ kind: 'completed', output: 1 });
});
