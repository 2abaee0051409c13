import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Report } from '@baton/sdk/plugin';
import { makeFacts } from '@baton/sdk/plugin/testing';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import plugin from './index.ts';

const facts = makeFacts({ phase: 'TESTING' });

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'baton command '));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Runs the validator on a program in JavaScript and returns the calls of its verbs. */
async function judge(
  code: string,
  { signal = new AbortController().signal, ...config }: { signal?: AbortSignal; [setting: string]: unknown } = {},
) {
  const [validator] = plugin.validators;
  const verbs = { fail: vi.fn<Report>(), warn: vi.fn<Report>(), info: vi.fn<Report>(), skip: vi.fn<(reason: string) => void>() };
  const parsed = validator!.config.parse({ command: [process.execPath, '-e', code], cwd: folder, ...config });
  await validator!.validate({ config: parsed, artifacts: [], facts, signal, ...verbs });
  return { fail: verbs.fail.mock.calls, warn: verbs.warn.mock.calls, info: verbs.info.mock.calls, skip: verbs.skip.mock.calls };
}
const nothing = { fail: [], warn: [], info: [], skip: [] };

describe('a program that', () => {
  test('ends with 0 passes, whatever it prints', async () => {
    expect(await judge('console.log("{ all is well"); console.error("noise")')).toEqual(nothing);
  });

  test('ends otherwise fails with its exit code and the tail of what it complained', async () => {
    const { fail } = await judge('console.error("x".repeat(50_000)); console.error("the end"); process.exitCode = 3');

    expect(fail).toHaveLength(1);
    expect(fail[0]).toEqual(['command_failed', expect.stringMatching(/ended with exit code 3:\nx+\nthe end$/)]);
    expect(fail[0]![1].length).toBeLessThan(2_300);
  });

  test('is ended by a signal fails', async () => {
    expect((await judge('process.kill(process.pid, "SIGKILL")')).fail).toEqual([
      ['command_failed', expect.stringContaining('ended with signal SIGKILL.')],
    ]);
  });

  test('is given the facts in JSON', async () => {
    const said = await judge(
      'const { facts, artifacts } = JSON.parse(require("fs").readFileSync(0)); process.exit(facts.phase === "TESTING" && artifacts.length === 0 ? 0 : 1)',
    );

    expect(said).toEqual(nothing);
  });

  test('is given nothing on request, and its own environment and folder', async () => {
    const code =
      'process.exit(require("fs").readFileSync(0).length === 0 && process.env.MODE === "strict" && process.cwd().includes("baton command ") ? 0 : 1)';

    expect(await judge(code, { input: 'none', env: { MODE: 'strict' } })).toEqual(nothing);
  });

  test('does not read its input is no worse for it', async () => {
    const [validator] = plugin.validators;
    const artifacts = Array.from({ length: 200 }, () => 'x'.repeat(10_000)) as never;
    const fail = vi.fn<Report>();

    await validator!.validate({
      config: { command: [process.execPath, '-e', ''], env: {}, input: 'facts' },
      artifacts,
      facts,
      signal: new AbortController().signal,
      fail,
      warn: fail,
      info: fail,
      skip: (reason) => fail('skipped', reason),
    });

    expect(fail).not.toHaveBeenCalled();
  });
});

describe('findings on standard output', () => {
  test('are reported, and a fail among them fails though the exit code is 0', async () => {
    const findings = [
      { severity: 'fail', code: 'no_license', message: 'There is no licence.', path: 'LICENSE' },
      { severity: 'warn', code: 'old', message: 'Old.', path: 'a.ts', line: 3 },
    ];

    expect(await judge(`console.log(${JSON.stringify(JSON.stringify({ findings }, undefined, 2))})`)).toEqual({
      ...nothing,
      fail: [['no_license', 'There is no licence.', { path: 'LICENSE', line: undefined }]],
      warn: [['old', 'Old.', { path: 'a.ts', line: 3 }]],
    });
  });

  test('without a fail do not save a program that ends with 1', async () => {
    const said = await judge(`console.log('{"findings":[{"severity":"info","code":"i","message":"m"}]}'); process.exitCode = 1`);

    expect(said).toMatchObject({ info: [['i', 'm', {}]], fail: [['command_failed', expect.any(String)]] });
  });

  test('may say that there was nothing to judge', async () => {
    expect(await judge(`console.log('{"skip":"no tests here"}')`)).toEqual({ ...nothing, skip: [['no tests here']] });
  });

  test.each([
    ['on one line', `JSON.stringify({ findings: [{ severity: 'fail', code: 'c', message: 'm'.repeat(1024 * 1024) }] })`],
    ['on many', `JSON.stringify({ findings: Array(50_000).fill({ severity: 'fail', code: 'c', message: 'm' }) }, undefined, 2)`],
  ])('%s that are larger than findings may be are an error, with the limit and what to do', async (_, text) => {
    await expect(judge(`process.stdout.write(${text})`)).rejects.toThrow(
      'The program printed more than 1048576 bytes on standard output that begin like findings, and its findings cannot be read. Print fewer or shorter findings; where it is a log, have the program write it to standard error.',
    );
  });

  test('are not what a long log is made of that has an object on each line', async () => {
    const line = JSON.stringify({ level: 'info', findings: [], text: 'x'.repeat(1_000) });

    expect(await judge(`for (let n = 0; n < 2_000; n += 1) console.log(${JSON.stringify(line)})`)).toEqual(nothing);
  });

  test('with mistakes are an error', async () => {
    await expect(judge(`console.log('{"findings":[{"severity":"fatal"}]}')`)).rejects.toThrow('The findings on standard output do not fit');
  });
});

test('a command in one text is told to be a list', () => {
  const { error } = plugin.validators[0]!.config.safeParse({ command: 'npm test' });

  expect(error?.issues).toMatchObject([
    { path: ['command'], message: 'It takes a list with the program and each of its arguments, such as [npm, test].' },
  ]);
});

describe('an error, which is not a verdict, is', () => {
  test('a program that is not there', async () => {
    await expect(judge('', { command: ['no-such-program-here'] })).rejects.toThrow(
      'no-such-program-here cannot be started: there is no such program, or it may not be run.',
    );
  });

  test('a folder that is not there', async () => {
    await expect(judge('', { cwd: join(folder, 'gone') })).rejects.toThrow(/The folder .*gone for .* is not there\./);
  });

  test('a program that takes longer than it may', async () => {
    await expect(judge('setTimeout(() => {}, 60_000)', { timeoutMs: 100 })).rejects.toMatchObject({ name: 'TimeoutError' });
  });
});

test('when its time is over a program is ended with all that it has started', async () => {
  const pidFile = join(folder, 'pid');
  const inner = join(folder, 'inner.cjs');
  await writeFile(
    inner,
    `require('fs').writeFileSync(${JSON.stringify(pidFile)}, String(process.pid)); process.on('SIGTERM', () => {}); setTimeout(() => {}, 600_000);`,
  );
  const leaving = new AbortController();

  const judging = judge(`require('child_process').spawnSync(process.execPath, [${JSON.stringify(inner)}], { stdio: 'inherit' })`, {
    signal: leaving.signal,
  });
  await vi.waitUntil(async () => existsSync(pidFile) && (await readFile(pidFile, 'utf8')) !== '', { timeout: 50_000 });
  leaving.abort(new Error('enough'));

  await expect(judging).rejects.toThrow('enough');
  const pid = Number(await readFile(pidFile, 'utf8'));
  await vi.waitUntil(() => !isRunning(pid), { timeout: 50_000 });
});

test('what a program leaves running in its group does not hold its verdict', async () => {
  const said = await judge(
    `require('child_process').spawn(process.execPath, ['-e', 'setTimeout(() => {}, 60000)'], { stdio: 'inherit' }).unref()`,
  );

  expect(said).toEqual(nothing);
});

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  // Where nobody collects the orphans of a container, an ended process keeps its number.
  return !existsSync(`/proc/${pid}`) || !/^State:\s+Z/m.test(readStatus(pid));
}

function readStatus(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/status`, 'utf8');
  } catch {
    return '';
  }
}
