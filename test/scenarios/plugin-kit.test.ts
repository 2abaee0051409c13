import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { runBaton, runBatonAt } from '../support/command.ts';
import { startDaemon } from '../support/daemon.ts';
import { type CommandResult, spawnBaton } from '../support/process.ts';

// Each command is a process that starts others, and the machine may have more to run.
vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });

// Below this folder, so that the packages of the workspace are found as they are by someone who installed them.
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(import.meta.dirname, 'plugin-kit-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const plugin = (...args: string[]) => spawnBaton(['plugin', ...args], { cwd: folder });

describe('a new plugin', () => {
  let written: CommandResult;
  beforeAll(async () => {
    written = await plugin('new', '@acme/no-todo');
  });

  test('passes its tests at once', async () => {
    expect(written).toMatchObject({ code: 0, stderr: '' });
    const { code, stdout } = await plugin('test', 'no-todo');

    expect(stdout).toContain('✔ it finds the word');
    expect(code).toBe(0);
  });

  test('has a manifest that says what its code offers', async () => {
    expect(await plugin('manifest', 'no-todo')).toMatchObject({
      code: 0,
      stdout: 'The manifest of @acme/no-todo says what its code offers.\n',
    });
  });

  test('is used by a gate of a coordinator that has it enabled, and listed by it', async () => {
    await using daemon = await startDaemon({ config: { plugins: ['@baton/plugin-command', join(folder, 'no-todo')] } });
    const { client } = daemon;
    await client.workflow.put({
      definition: {
        name: 'written',
        phases: [{ name: 'WRITE', gate: { tasksMin: 0, validators: [{ use: 'no-todo' }] } }, { name: 'DONE' }],
        edges: [{ from: 'WRITE', to: 'DONE', kind: 'forward' }],
      },
    });
    const misspelt = client.workflow.put({
      definition: {
        name: 'misspelt',
        phases: [{ name: 'WRITE', gate: { tasksMin: 0, validators: [{ use: 'no-tood' }] } }, { name: 'DONE' }],
        edges: [{ from: 'WRITE', to: 'DONE', kind: 'forward' }],
      },
    });
    await expect(misspelt).rejects.toMatchObject({
      data: {
        kind: 'validator_unknown',
        fields: [{ message: 'No enabled plugin offers the validator no-tood. They offer command, exec, no-todo.' }],
      },
    });
    const { id: ticketId } = await client.ticket.create({ title: 'T', workflow: { name: 'written' } });
    const put = (text: string) => client.artifact.put({ ticketId, artifact: { type: 'page', content: { text } } });

    await put('TODO: the rest');
    const refused = await client.gate.validate({ ticketId });
    await put('All is said.');
    const passed = await client.gate.validate({ ticketId });
    const list = await runBatonAt(daemon, 'plugin', 'list');

    expect(refused).toMatchObject({
      outcome: 'failed',
      reasons: [{ code: 'validator_failed', validator: 'no-todo', findingCode: 'word_found', message: 'page default says TODO.' }],
    });
    expect(passed).toMatchObject({ outcome: 'passed', verdicts: [{ validator: 'no-todo', outcome: 'pass' }] });
    expect(list.stdout).toMatch(/^NAME +VERSION +VALIDATORS +SUMMARIZERS +PERMISSIONS +STATE$/m);
    expect(list.stdout).toMatch(/^@baton\/plugin-command +\S+ +command, exec +programs +on$/m);
    expect(list.stdout).toMatch(/^@acme\/no-todo +0\.1\.0 +no-todo +on$/m);
  });

  test('is not written over another', async () => {
    expect(await plugin('new', 'no-todo')).toMatchObject({ code: 2, stderr: expect.stringContaining('is not empty') });
    expect(await plugin('new', 'No Todo')).toMatchObject({ code: 2, stderr: expect.stringContaining('is no name of a package') });
  });
});

describe('a plugin that has changed', () => {
  beforeAll(async () => {
    await plugin('new', 'changed');
    const file = join(folder, 'changed', 'index.js');
    const code = await readFile(file, 'utf8');
    await writeFile(
      file,
      code
        .replace("name: 'changed',\n  config", "name: 'other',\n  config")
        .replace('validators: [validator]', "validators: [validator], permissions: ['programs']"),
    );
  });

  test('fails its tests', async () => {
    const { code, stdout } = await plugin('test', 'changed');

    expect(code).toBe(1);
    expect(stdout).toContain('does not list the validator other under baton.validators');
  });

  test('is told that its manifest is out of date, and has it written', async () => {
    const stale = await plugin('manifest', 'changed');
    const written = await plugin('manifest', 'changed', '--write');
    const after = await plugin('manifest', 'changed');

    expect(stale.code).toBe(2);
    expect(stale.stderr).toContain('baton.validators is ["changed"], and the code offers ["other"]');
    expect(stale.stderr).toContain('baton.permissions is [], and the code offers ["programs"]');
    expect(stale.stderr).toContain('baton.configs.other is not the schema of what the code takes as configuration');
    expect([written.code, after.code]).toEqual([0, 0]);
    expect(JSON.parse(await readFile(join(folder, 'changed', 'package.json'), 'utf8'))).toMatchObject({
      name: 'changed',
      baton: { apiVersion: 1, validators: ['other'], summarizers: [], permissions: ['programs'] },
      dependencies: { zod: '^4.0.0' },
    });
  });

  test('is loaded for its manifest where it can read and change nothing', async () => {
    const file = join(folder, 'changed', 'index.js');
    const code = await readFile(file, 'utf8');
    await writeFile(file, `import { writeFileSync } from 'node:fs';\nwriteFileSync('loaded.txt', 'x');\n${code}`);

    const { code: exitCode, stderr } = await plugin('manifest', 'changed');

    expect(exitCode).toBe(1);
    expect(stderr).toContain('changed cannot be loaded: Error: Access to this API has been restricted');
  });
});

test('the manifests of the shipped plugins say what their code offers', async () => {
  const plugins = join(import.meta.dirname, '..', '..', 'plugins');
  const wrong: string[] = [];

  for (const name of await readdir(plugins)) {
    const { code, stdout, stderr } = await runBaton(['plugin', 'manifest', join(plugins, name)]);
    if (code !== 0) wrong.push(`${name}: ${stdout}${stderr}`);
  }

  expect(wrong).toEqual([]);
});

test('what tests print for a terminal is shown, and not obeyed', async () => {
  await mkdir(join(folder, 'loud'));
  const code = `import test from 'node:test';
test('it is loud', () => {
  console.log('\\u001B[2Jsaid');
  throw new Error('\\u001B]0;owned\\u0007found');
});`;
  await writeFile(join(folder, 'loud', 'index.test.js'), code);

  const { code: exitCode, stdout } = await plugin('test', 'loud');

  expect(exitCode).toBe(1);
  expect(stdout).toContain('\\u001b[2Jsaid');
  expect(stdout).toContain('\\u001b]0;owned\\u0007found');
  expect(stdout).not.toContain('\u001B[2J');
  expect(stdout).not.toContain('\u001B]0');
});

test('a plugin far from the SDK is told what to install before its tests run', async () => {
  const far = await mkdtemp(join(tmpdir(), 'plugin-far-'));
  try {
    await writeFile(join(far, 'index.test.js'), "import '@baton/sdk/plugin/testing';");

    expect(await plugin('test', far)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(`@baton/sdk is not installed in ${far}. Run \`npm install\` there`),
    });
  } finally {
    await rm(far, { recursive: true });
  }
});

test('a plugin on the command line is known to a check besides the usual ones, and one that is not there is named', async () => {
  await mkdir(join(folder, 'known'));
  await writeFile(join(folder, 'known', 'package.json'), '{ "name": "known", "baton": { "apiVersion": 1, "validators": ["known"] } }');
  const file = join(folder, 'workflow.yaml');
  const phases = '[{ name: WRITE, gate: { tasksMin: 0, validators: [{ use: known }, { use: junit }] } }, { name: DONE }]';
  await writeFile(file, `name: w\nphases: ${phases}\nedges: [{ from: WRITE, to: DONE, kind: forward }]\n`);
  const check = (...args: string[]) => spawnBaton(['workflow', 'check', file, ...args], { cwd: folder });

  expect(await check('--plugin', './known')).toMatchObject({ code: 0 });
  expect(await check()).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('no enabled plugin offers the validator known; they offer'),
  });
  expect(await check('--plugin', 'knwon')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('knwon: no package of this name is installed. A path starts with ./ or /.'),
  });
});

test('a folder without tests is told of, and so is one that is no plugin', async () => {
  await mkdir(join(folder, 'empty'));

  expect(await plugin('test', 'empty')).toMatchObject({ code: 2, stderr: expect.stringContaining('There are no tests in') });
  expect(await plugin('manifest', 'nowhere')).toMatchObject({ code: 1, stderr: expect.stringContaining('there is no package.json in') });
});
