import { readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { runProgram } from './run-program.ts';

const countProcesses = () => process.getActiveResourcesInfo().filter((resource) => resource === 'ProcessWrap').length;

test('nobody watches over a group any more whose program has ended, though something that left it holds its output', async () => {
  const before = countProcesses();
  const pidFile = join(tmpdir(), `baton-left-${process.pid}`);
  const leaver = `require('node:fs').writeFileSync(${JSON.stringify(pidFile)}, String(process.pid) + '.'); setInterval(() => {}, 1_000);`;
  const script = `require('node:child_process').spawn(process.execPath, ['-e', ${JSON.stringify(leaver)}], { stdio: 'inherit', detached: true }).unref();`;

  const ending = runProgram([process.execPath, '-e', script], {
    cwd: undefined,
    env: {},
    input: undefined,
    signal: new AbortController().signal,
  });
  const pid = await vi.waitUntil(() => readPid(pidFile), { timeout: 20_000 });
  try {
    await vi.waitFor(() => expect(countProcesses()).toBe(before), { timeout: 20_000 });
  } finally {
    process.kill(pid, 'SIGKILL');
    rmSync(pidFile);
  }

  expect(await ending).toMatchObject({ succeeded: true });
});

/** Undefined until all of it is written. */
function readPid(file: string): number | undefined {
  try {
    const [, pid] = /^(\d+)\.$/.exec(readFileSync(file, 'utf8')) ?? [];
    return pid === undefined ? undefined : Number(pid);
  } catch {
    return undefined;
  }
}
