import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, expect, test, vi } from 'vitest';
import { runProgram } from './run-program.ts';

afterEach(() => vi.unstubAllEnvs());

const lines: string[] = [];
const run = (script: string, onStarted: (child: ChildProcess) => void = () => {}) =>
  runProgram({
    command: [process.execPath, '-e', script],
    cwd: undefined,
    env: {},
    stdin: '',
    stdoutBytesMax: 1_000,
    onStderrLine: (line) => void lines.push(line),
    onStarted,
  });

const countProcesses = () => process.getActiveResourcesInfo().filter((resource) => resource === 'ProcessWrap').length;

test('nobody watches over a group any more whose program has ended, though something that left it holds its output', async () => {
  lines.length = 0;
  const before = countProcesses();
  const leaver = `console.error(process.pid); setInterval(() => {}, 1_000);`;
  const script = `require('node:child_process').spawn(process.execPath, ['-e', ${JSON.stringify(leaver)}], { stdio: 'inherit', detached: true }).unref();`;

  const exited = Promise.withResolvers<unknown>();
  const ending = run(script, (child) => exited.resolve(once(child, 'exit')));
  await exited.promise;
  await vi.waitFor(() => expect(lines).toHaveLength(1), { timeout: 20_000 });
  try {
    await vi.waitFor(() => expect(countProcesses()).toBe(before), { timeout: 20_000 });
  } finally {
    process.kill(Number(lines[0]), 'SIGKILL');
  }

  expect(await ending).toMatchObject({ kind: 'exited', code: 0 });
});

test('where there is no shell to watch over it, a program is not started, and it is said why', async () => {
  vi.stubEnv('PATH', '/nowhere');

  expect(await run('')).toEqual({ kind: 'notStarted', message: expect.stringContaining('there is no sh on the PATH') as string });
});

test('a program whose arguments no program can be given is not started, and nobody stays to watch over it', async () => {
  const before = countProcesses();

  expect(await run('\0')).toMatchObject({ kind: 'notStarted', message: expect.stringContaining('null bytes') as string });
  await vi.waitFor(() => expect(countProcesses()).toBeLessThanOrEqual(before), { timeout: 20_000 });
});
