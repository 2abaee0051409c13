import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, test } from 'vitest';
import { patienceMs } from '../../../../test/support/eventually.ts';
import { isRunning } from '../../../../test/support/is-running.ts';
import { keepCommand } from './keep-program.ts';

const main = join(import.meta.dirname, '..', '..', 'main.ts');

/** Keeps a script as the program of an agent, as a run does, and waits for the number of its process. */
async function keep(script: string) {
  const child = spawn(process.execPath, ['--conditions=source', main, keepCommand, '--', process.execPath, '-e', script], {
    detached: true,
    stdio: ['ignore', 'pipe', 'ignore', 'ipc'],
  });
  const exited = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
  if (child.stdout === null) throw new Error('The process has no output.');
  const output = child.stdout;
  const [line] = (await once(createInterface({ input: output }), 'line')) as [string];
  return { child, output, exited, programPid: Number(line) };
}

test('a program that is told to stop ends in its own way, and its exit code is passed on', async () => {
  const { child, exited } = await keep(
    "process.on('SIGTERM', () => process.exit(7)); setInterval(() => {}, 1e6); console.log(process.pid)",
  );

  child.kill('SIGTERM');

  expect(await exited).toEqual([7, null]);
});

test('a program that does not stop is ended at the second signal', async () => {
  const { child, output, exited, programPid } = await keep(
    "process.on('SIGTERM', () => console.log('told')); setInterval(() => {}, 1e6); console.log(process.pid)",
  );
  child.kill('SIGTERM');
  await once(output, 'data');

  child.kill('SIGTERM');

  expect(await exited).toEqual([null, 'SIGKILL']);
  await expect.poll(() => isRunning(programPid), { timeout: patienceMs }).toBe(false);
});

test('a program does not outlive who started it, whatever it knows of that', async () => {
  const { child, exited, programPid } = await keep("process.on('SIGTERM', () => {}); setInterval(() => {}, 1e6); console.log(process.pid)");

  child.disconnect();
  await exited;

  await expect.poll(() => isRunning(programPid), { timeout: patienceMs }).toBe(false);
});

test('a program that is not there is named', async () => {
  const child = spawn(process.execPath, ['--conditions=source', main, keepCommand, '--', 'no-such-program'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const [[code], [line]] = (await Promise.all([once(child, 'exit'), once(createInterface({ input: child.stderr }), 'line')])) as [
    [number],
    [string],
  ];

  expect({ code, line }).toEqual({ code: 127, line: expect.stringContaining('no-such-program does not start') });
});
