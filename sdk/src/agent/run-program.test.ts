import type { ChildProcess } from 'node:child_process';
import { afterEach, expect, test, vi } from 'vitest';
import { killGroup, type ProgramEnd, runProgram } from './run-program.ts';

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

/** Runs a program that ends at once and leaves a process outside of its group, which holds its output. Acts when only that is left. */
async function runLeaver(act: (child: ChildProcess) => void = () => {}): Promise<ProgramEnd> {
  lines.length = 0;
  const before = countProcesses();
  const leaver = `console.error(process.pid); setInterval(() => {}, 1_000);`;
  const script = `require('node:child_process').spawn(process.execPath, ['-e', ${JSON.stringify(leaver)}], { stdio: 'inherit', detached: true }).unref();`;

  const started = Promise.withResolvers<ChildProcess>();
  const ending = run(script, started.resolve);
  const child = await started.promise;
  await vi.waitFor(() => expect(lines).toHaveLength(1), { timeout: 20_000 });
  try {
    // Neither the program is there any more nor what watches over its group.
    await vi.waitFor(() => expect(countProcesses()).toBe(before), { timeout: 20_000 });
    act(child);
  } finally {
    process.kill(Number(lines[0]), 'SIGKILL');
  }
  return ending;
}

test('nobody watches over a group any more whose program has ended, though something that left it holds its output', async () => {
  expect(await runLeaver()).toMatchObject({ kind: 'exited', code: 0 });
});

test('a program that has ended gets no signal any more, since its number may be that of others', async () => {
  const signalled: unknown[] = [];

  await runLeaver((child) => {
    using kill = vi.spyOn(process, 'kill').mockReturnValue(true);
    killGroup(child, 'SIGTERM');
    signalled.push(...kill.mock.calls);
  });

  expect(signalled).toEqual([]);
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
