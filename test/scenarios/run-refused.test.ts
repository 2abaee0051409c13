import '../support/leaks.ts';
import { access, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runBaton } from '../support/command.ts';
import { createPlanFolder } from '../support/plan-folder.ts';

test('a wrong plan is refused with all its mistakes, and nothing is started', async () => {
  await using place = await createPlanFolder({ store: 'none' });
  const plan = await place.writePlan({ TESTNG: {}, TESTING: { tasks: [{ type: 'write-fiel' }] } });

  const { code, stdout, stderr } = await runBaton(place.runArguments(plan));

  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr.split('\n')).toEqual([
    expect.stringMatching(
      /plan\.yaml:\d+:\d+ phases\.TESTING\.tasks\[0\]\.type: no agent offers write-fiel; on offer: .*; did you mean write-file\?$/,
    ),
    expect.stringMatching(
      /plan\.yaml:\d+:\d+ phases\.TESTNG: the workflow software-delivery has no such phase; .*; did you mean TESTING\?$/,
    ),
    `2 mistakes in ${plan}. Nothing was started.`,
    '',
  ]);
  await expect(access(place.dataDir)).rejects.toThrow('ENOENT');
});

test.each<[what: string, args: (folder: string) => string[], stderr: (folder: string) => string]>([
  [
    'a report that cannot be written',
    (at) => ['--report', join(at, 'none', 'report.json')],
    (at) => `--report: the report cannot be written to ${join(at, 'none', 'report.json')}: there is no folder ${join(at, 'none')}.\n`,
  ],
  ['a report in place of a folder', (at) => ['--report', at], (at) => `--report: the report cannot be written to ${at}: it is a folder.\n`],
  ['a project that is not there', (at) => ['--project', join(at, 'none')], (at) => `--project: there is no folder ${join(at, 'none')}.\n`],
  [
    'a port for a coordinator of another',
    () => ['--url', 'http://127.0.0.1:1', '--port', '99'],
    () => "--port is for a coordinator of the run's own, and --url names another. Leave out one of them.\n",
  ],
])('%s is refused before anything is started', async (_, args, stderr) => {
  await using place = await createPlanFolder({ store: 'none' });
  const plan = await place.writePlan({});

  const result = await runBaton(['run', plan, '--data', place.dataDir, ...args(place.path)]);

  expect(result).toMatchObject({ code: 2, stdout: '', stderr: stderr(place.path) });
  await expect(access(place.dataDir)).rejects.toThrow('ENOENT');
});

test('a plan that is no text, or not there, is named in one line', async () => {
  await using place = await createPlanFolder({ store: 'none' });
  await writeFile(join(place.path, 'picture.png'), Buffer.from([0x89, 0x50, 0x4e, 0x47, 0xff, 0xfe]));
  const check = async (file: string) => {
    const { code, stderr } = await runBaton(['plan', 'check', file]);
    return { code, stderr };
  };

  expect(await check(join(place.path, 'picture.png'))).toEqual({
    code: 2,
    stderr: `${join(place.path, 'picture.png')} is not a text file; a plan is YAML, in UTF-8.\n`,
  });
  expect(await check(join(place.path, 'none.yaml'))).toEqual({ code: 2, stderr: `There is no file ${join(place.path, 'none.yaml')}.\n` });
  expect(await check(place.path)).toEqual({
    code: 2,
    stderr: `${place.path} is a folder. Name the plan in it, such as ${join(place.path, 'plan.yaml')}.\n`,
  });
});

test('a module that does not find the SDK is told where it is looked for', async () => {
  await using place = await createPlanFolder({ store: 'none' });
  await writeFile(join(place.path, 'apart.ts'), "import '@baton/sdk';\n");
  const plan = await place.writePlan({}, { agents: { apart: { module: './apart.ts' } } });

  const { stderr } = await runBaton(['plan', 'check', plan]);

  expect(stderr).toContain("agents.apart.module: the module does not load: Cannot find package '@baton/sdk'");
  expect(stderr).toContain('packages are looked for from the module upwards: run `npm install @baton/sdk` in its folder');
});

test('a plan whose module does not load is refused with the reason', async () => {
  await using place = await createPlanFolder({ store: 'none' });
  await writeFile(join(place.path, 'broken.ts'), "throw new Error('No network.');\n");
  const plan = await place.writePlan({}, { agents: { broken: { module: './broken.ts' }, none: { module: './none.ts' } } });

  const { code, stderr } = await runBaton(['plan', 'check', plan]);

  expect(code).toBe(2);
  expect(stderr).toContain('agents.broken.module: the module does not load: No network.');
  expect(stderr).toContain('agents.none.module: there is no such file');
});

test('--resume without a run says so', async () => {
  await using place = await createPlanFolder({ store: 'none' });
  const plan = await place.writePlan({});

  const { code, stderr } = await runBaton(place.runArguments(plan, '--resume'));

  expect(code).toBe(1);
  expect(stderr).toContain('No run of sample is known');
});

test('a ticket is named by its id', async () => {
  const { code, stderr } = await runBaton(['tasks', '--ticket', 'abc']);

  expect({ code, stderr }).toEqual({
    code: 2,
    stderr: '--ticket abc is not the id of a ticket; `baton tickets` lists them with their ids.\n',
  });
});
