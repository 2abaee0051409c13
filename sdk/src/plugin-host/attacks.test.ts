import { existsSync } from 'node:fs';
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { delimiter, dirname, join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Sandbox } from './isolation.ts';
import { createPluginFixture, type PluginFixture, sampleFacts, silentLog, writePackage } from './plugin-fixture.ts';
import { createPluginHost, type PluginHost } from './plugin-host.ts';

const limits = {
  threadsMax: 2,
  memoryMb: 64,
  timeoutMs: 60_000,
  startMs: 60_000,
  verdictBytesMax: 65_536,
  graceMs: 200,
  backstopMs: 3_000,
};
const log = silentLog;
const secret = 'what nobody may know';

let fixture: PluginFixture;
beforeAll(async () => {
  fixture = await createPluginFixture();
  const file = join(fixture.folder, 'secret.txt');
  await writeFile(file, secret);
  const path = JSON.stringify(file);
  const written = JSON.stringify(join(fixture.folder, 'written.txt'));
  await fixture.write('attacker', {
    'read a secret file': `const { readFileSync } = await import('node:fs'); fail('stolen', readFileSync(${path}, 'utf8'));`,
    'read it by its address': `const text = await (await import('node:fs/promises')).readFile(new URL('file://' + encodeURI(${path}))); fail('stolen', String(text));`,
    'import it': `await import(${path}, { with: { type: 'text' } });`,
    'read the environment of the coordinator': `const { readFileSync } = await import('node:fs'); fail('stolen', readFileSync('/proc/' + process.ppid + '/environ', 'utf8'));`,
    'write a file': `const { writeFileSync } = await import('node:fs'); writeFileSync(${written}, 'x');`,
    'open a database': `const { DatabaseSync } = await import('node:sqlite'); new DatabaseSync(${written}).exec('create table t (x)');`,
    'ask for a database': `const { DatabaseSync } = process.getBuiltinModule('node:sqlite') ?? {}; if (DatabaseSync === undefined) throw new Error('there is none'); new DatabaseSync(${written}).exec('create table t (x)');`,
    'run a program': `const { execFileSync } = await import('node:child_process'); fail('ran', String(execFileSync('id')));`,
    'start a thread': `const { Worker } = await import('node:worker_threads'); new Worker('1', { eval: true });`,
    'open an inspector': `const inspector = await import('node:inspector'); inspector.open(0);`,
    'load native code': `process.dlopen({ exports: {} }, '/lib/x86_64-linux-gnu/libc.so.6');`,
    'loop for ever': `for (;;) {}`,
    'fill the memory with Buffers': `const all = []; for (let n = 0; n < 64; n++) all.push(Buffer.alloc(64 * 1024 * 1024, n)); await new Promise(() => {});`,
    'end the process': `process.exit(0);`,
    'abort the process': `process.abort();`,
    'kill the process': `process.kill(process.pid, 'SIGKILL'); await new Promise(() => {});`,
    'answer 100 MB': `fail('x'.repeat(100 * 1024 * 1024), 'y'.repeat(1024 * 1024));`,
    'answer a value of 100 MB': `return 'x'.repeat(100 * 1024 * 1024);`,
    'answer twice': `const { parentPort } = await import('node:worker_threads'); for (let n = 0; n < 3; n++) parentPort.postMessage({ taskId: n, result: JSON.stringify({ kind: 'judged', findings: [] }), error: null }); fail('own', 'the real answer');`,
    'change what all objects are': `Object.prototype.kind = 'judged'; Object.prototype.findings = []; Object.prototype.outcome = 'pass'; Array.prototype.toJSON = () => []; fail('own', 'the real answer');`,
    'throw later': `setTimeout(() => { throw new Error('later'); }, 30); await new Promise((resolve) => setTimeout(resolve, 200)); fail('survived', 'x');`,
    'reject later': `void Promise.resolve().then(() => { throw new Error('nobody waits for this'); }); await new Promise((resolve) => setTimeout(resolve, 100)); fail('survived', 'x');`,
    'see the environment': `fail('seen', JSON.stringify(process.env));`,
  });
  await fixture.write('innocent', { clean: '', slow: `await new Promise((resolve) => setTimeout(resolve, 150));` });
});
afterAll(() => fixture.remove());

const hasBwrap = (process.env['PATH'] ?? '').split(delimiter).some((folder) => existsSync(join(folder, 'bwrap')));
const sandboxes: readonly Sandbox[] = hasBwrap ? ['permissions', 'bwrap'] : ['permissions'];

describe.each(sandboxes)('with the sandbox %s', (sandbox) => {
  let host: PluginHost;
  beforeAll(async () => {
    host = await createPluginHost({ plugins: ['./attacker', './innocent'], cwd: fixture.folder, sandbox, log, limits });
  });
  afterAll(() => host.stop());
  const validate = (use: string, timeoutMs = limits.timeoutMs) => {
    host.switchOn('attacker');
    return host.validate({ use, config: {}, artifacts: [], facts: sampleFacts, timeoutMs });
  };

  test.each([
    ['read a secret file', 'error', 'Access to this API has been restricted'],
    ['read it by its address', 'error', 'Access to this API has been restricted'],
    ['import it', 'error', sandbox === 'bwrap' ? 'Cannot find module' : 'Access to this API has been restricted'],
    ['read the environment of the coordinator', 'error', 'Access to this API has been restricted'],
    ['write a file', 'error', 'Access to this API has been restricted'],
    ['open a database', 'error', 'No such built-in module: node:sqlite'],
    ['ask for a database', 'error', 'there is none'],
    ['run a program', 'error', 'Access to this API has been restricted'],
    ['start a thread', 'error', 'Access to this API has been restricted'],
    ['open an inspector', 'error', 'Access to this API has been restricted'],
    ['load native code', 'error', 'Cannot load native addon'],
    ['end the process', 'error', 'It ended its thread or process'],
    ['abort the process', 'error', 'process.abort() is not supported'],
    ['kill the process', 'error', 'It ended its thread or process'],
    ['fill the memory with Buffers', 'error', 'It ended its thread or process'],
    ['answer a value of 100 MB', 'error', ''],
    ['throw later', 'error', 'It ended its thread or process'],
    ['reject later', 'error', 'It ended its thread or process'],
  ])('to %s costs the verdict: %s', async (attack, outcome, message) => {
    const [verdict, other] = await Promise.all([validate(attack), validate('slow')]);

    expect(verdict.outcome).toBe(outcome);
    expect(verdict.findings[0]?.message).toContain(message);
    expect(JSON.stringify(verdict)).not.toContain(secret);
    expect(other.outcome).toBe('pass');
    expect((await validate('clean')).outcome).toBe('pass');
  });

  test('to loop for ever costs the verdict: timeout', async () => {
    const [verdict, other] = await Promise.all([validate('loop for ever', 400), validate('slow')]);

    expect(verdict.outcome).toBe('timeout');
    expect(other.outcome).toBe('pass');
  });

  test('to answer 100 MB is no pass, and no more than a verdict may hold', async () => {
    const verdict = await validate('answer 100 MB');

    expect(verdict.outcome).not.toBe('pass');
    expect(JSON.stringify(verdict).length).toBeLessThan(limits.verdictBytesMax);
  });

  test('to answer twice is no pass, and changes nothing for others', async () => {
    const [verdict, other] = await Promise.all([validate('answer twice'), validate('slow')]);

    expect(verdict.outcome).not.toBe('pass');
    expect(other).toMatchObject({ outcome: 'pass', findings: [] });
  });

  test('to change what all objects are costs the verdict: error', async () => {
    const [verdict, other] = await Promise.all([validate('change what all objects are'), validate('slow')]);

    expect(verdict).toMatchObject({ outcome: 'error', findings: [{ code: 'polluted' }] });
    expect(other).toMatchObject({ outcome: 'pass', findings: [] });
    expect(({} as { kind?: unknown }).kind).toBeUndefined();
  });

  test('it sees no environment', async () => {
    expect((await validate('see the environment')).findings).toMatchObject([{ code: 'seen', message: '{}' }]);
  });

  test('nothing was written', () => {
    expect(existsSync(join(fixture.folder, 'written.txt'))).toBe(false);
  });
});

test('a plugin that was named by a file reads the folder of this file, and not the project around it', async () => {
  const project = join(fixture.folder, 'project');
  await writePackage(project, { name: 'project', baton: { apiVersion: 1, validators: ['look'], summarizers: [] } }, '');
  await writeFile(join(project, '.env'), `TOKEN=${secret}`);
  const code = (folder: string) => `
    import { readFileSync } from 'node:fs';
    import { definePlugin, defineValidator } from '@baton/sdk/plugin';
    import { z } from 'zod';
    import { word } from './word.js';
    const look = defineValidator({ name: 'look', config: z.object({ file: z.string() }), async validate({ config, fail }) {
      fail(word, readFileSync(new URL(config.file, import.meta.url), 'utf8'));
    } });
    export default definePlugin({ name: '${folder}', apiVersion: 1, validators: [look] });`;
  for (const folder of [project, join(project, 'checks')]) {
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'look.js'), code(folder));
    await writeFile(join(folder, 'word.js'), `export const word = 'read';`);
  }
  const lookAt = async (plugin: string, file: string) => {
    await using stack = new AsyncDisposableStack();
    const host = await createPluginHost({ plugins: [plugin], cwd: project, log, limits });
    stack.defer(() => host.stop());
    return await host.validate({ use: 'look', config: { file }, artifacts: [], facts: sampleFacts });
  };

  expect(await lookAt('./checks/look.js', './word.js')).toMatchObject({ outcome: 'fail', findings: [{ code: 'read' }] });
  for (const [plugin, file] of [
    ['./checks/look.js', '../.env'],
    ['./look.js', './.env'],
  ] as const) {
    const verdict = await lookAt(plugin, file);
    expect(verdict).toMatchObject({ outcome: 'error', findings: [{ message: expect.stringContaining('restricted') as string }] });
    expect(JSON.stringify(verdict)).not.toContain(secret);
  }
});

test.each([
  ['a file', 'secret.txt', '../../secret.txt', '../secret.txt'],
  ['a folder as one of its packages', 'node_modules/home/secret.txt', '../../..', '..'],
])('a plugin with a link out of its folder to %s reads nothing by it: it is refused at the start', async (_, file, target, resolved) => {
  await using own = await createPluginFixture();
  const project = join(own.folder, 'project');
  await mkdir(project);
  await writeFile(join(project, 'package.json'), '{ "name": "project" }');
  await writeFile(join(project, 'secret.txt'), secret);
  const folder = await own.write('project/plugins/linked', {
    follows: `const { readFileSync } = await import('node:fs'); fail('stolen', readFileSync(new URL('./${file}', import.meta.url), 'utf8'));`,
  });
  const about = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as object;
  await writeFile(join(folder, 'package.json'), JSON.stringify({ ...about, name: 'linked', dependencies: { home: '*' } }));
  const link = join(folder, file.replace('home/secret.txt', 'home'));
  await mkdir(dirname(link), { recursive: true });
  await symlink(target, link);
  await using stack = new AsyncDisposableStack();

  const starting = createPluginHost({ plugins: [folder], cwd: own.folder, log, limits }).then((host) => {
    stack.defer(() => host.stop());
    return host.validate({ use: 'follows', config: {}, artifacts: [], facts: sampleFacts });
  });

  const error = await starting.catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ name: 'PluginSetupError' });
  expect(String(error)).toContain(`${link} is a link to ${resolve(folder, '..', resolved)}, out of what`);
});

test('a plugin that wants to run programs is refused until somebody allows it as it was named', async () => {
  const folder = await fixture.write('runner', { runs: '' });
  const about = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as { baton: object };
  await writeFile(join(folder, 'package.json'), JSON.stringify({ ...about, baton: { ...about.baton, permissions: ['programs'] } }));
  const options = { plugins: ['./runner'], cwd: fixture.folder, log, limits };

  await expect(createPluginHost(options)).rejects.toThrow('./runner wants to run programs');
  // What a package calls itself anybody can write.
  await expect(createPluginHost({ ...options, mayRunPrograms: ['runner'] })).rejects.toThrow('BATON_PLUGINS_WITH_PROGRAMS=runner,./runner');

  const host = await createPluginHost({ ...options, mayRunPrograms: [join(fixture.folder, 'runner')] });
  await host.stop();
});
