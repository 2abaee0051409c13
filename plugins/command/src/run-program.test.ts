import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { runProgram } from './run-program.ts';

const countProcesses = () => process.getActiveResourcesInfo().filter((resource) => resource === 'ProcessWrap').length;

/** Runs a program that ends at once and leaves a process outside of its group, which holds its output. Acts when only that is left. */
async function runLeaver(signal: AbortSignal, act: () => void): Promise<unknown> {
  const before = countProcesses();
  const folder = mkdtempSync(join(tmpdir(), 'baton left '));
  const pidFile = join(folder, 'pid');
  const leaver = `require('node:fs').writeFileSync(${JSON.stringify(pidFile)}, String(process.pid) + '.'); setInterval(() => {}, 1_000);`;
  const script = `require('node:child_process').spawn(process.execPath, ['-e', ${JSON.stringify(leaver)}], { stdio: 'inherit', detached: true }).unref();`;

  const ending = runProgram([process.execPath, '-e', script], { cwd: undefined, env: {}, input: undefined, signal });
  const ended = ending.catch((error: unknown) => error);
  const pid = await vi.waitUntil(() => readPid(pidFile), { timeout: 20_000 });
  try {
    // Neither the program is there any more nor what watches over its group.
    await vi.waitFor(() => expect(countProcesses()).toBe(before), { timeout: 20_000 });
    act();
  } finally {
    process.kill(pid, 'SIGKILL');
    rmSync(folder, { recursive: true });
  }
  return ended;
}

test('nobody watches over a group any more whose program has ended, though something that left it holds its output', async () => {
  expect(await runLeaver(new AbortController().signal, () => {})).toMatchObject({ succeeded: true });
});

test('a program that has ended is not ended again, since its number may be that of others', async () => {
  const cancelling = new AbortController();
  const signalled: unknown[] = [];
  const gone = new Error('gone');

  const ended = await runLeaver(cancelling.signal, () => {
    using kill = vi.spyOn(process, 'kill').mockReturnValue(true);
    cancelling.abort(gone);
    signalled.push(...kill.mock.calls);
  });

  expect({ ended, signalled }).toEqual({ ended: gone, signalled: [] });
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
