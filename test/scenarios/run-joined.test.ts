import '../support/leaks.ts';
import { access, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runBaton } from '../support/command.ts';
import { createTestDataFolder, createTestFolder, type TestFolder } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { createPlanFolder } from '../support/plan-folder.ts';
import { spawnBaton, type SpawnedDaemon, spawnDaemon, startBaton } from '../support/process.ts';

let data: TestFolder;
let daemon: SpawnedDaemon;
beforeAll(async () => {
  data = await createTestDataFolder();
  daemon = await spawnDaemon(['--data', data.path]);
});
afterAll(async () => {
  await daemon[Symbol.asyncDispose]();
  await data.remove();
});

test('a run may join a coordinator, which can be asked about it and goes on afterwards', async () => {
  await using place = await createPlanFolder({ store: 'none' });
  const plan = await place.writePlan({ IMPLEMENTATION: { tasks: [{ type: 'write-file', input: { file: 'a' } }], gate: {} } });
  const { httpUrl, tokenFile } = daemon.ready;
  const target = ['--url', httpUrl, '--token-file', tokenFile];

  const { code } = await spawnBaton(place.runArguments(plan, ...target));

  expect(code).toBe(0);
  const ask = async (...args: string[]) => JSON.parse((await runBaton([...args, '--json', '--data', data.path])).stdout);
  expect(await ask('status')).toMatchObject({ name: 'baton', project: 'default', tickets: { open: 0, blocked: 0 } });
  expect(await ask('tickets')).toMatchObject([{ title: 'A change', state: 'closed' }]);
  expect(await ask('tasks')).toMatchObject([{ type: 'write-file', state: 'completed' }]);
  expect(await ask('agents')).toEqual([]);
  expect(await ask('locks')).toEqual([]);
  const table = await runBaton(['tickets', ...target]);
  expect(table.stdout).toMatch(/^ID +TITLE +PRIORITY +WORKFLOW +PHASE +VISIT +STATE\n\S+ +A change +MEDIUM +sample@1 +DONE +7 +closed\n$/);
});

test('what cannot be asked is explained in one line', async () => {
  await using folder = await createTestFolder();
  const { httpUrl } = daemon.ready;
  const wrong = join(folder.path, 'token');
  await writeFile(wrong, 'wrong');
  const ask = async (...args: string[]) => {
    const { code, stderr } = await runBaton(['status', ...args]);
    return { code, stderr };
  };

  expect(await ask('--url', httpUrl, '--token-file', wrong)).toEqual({
    code: 1,
    stderr: `The token in ${wrong} does not fit the coordinator at ${httpUrl}. Name the right file with --token-file; \`baton up\` says where it lies.\n`,
  });
  expect(await ask('--url', 'http://127.0.0.1:1', '--token-file', wrong)).toEqual({
    code: 1,
    stderr: 'No coordinator answers at http://127.0.0.1:1. Start one with `baton up`, or say with --url or --data where it is.\n',
  });
  const two = join(folder.path, 'two');
  await writeFile(two, 'one\ntwo\n');
  expect(await ask('--url', httpUrl, '--token-file', two)).toEqual({
    code: 1,
    stderr: `The token file ${two} must hold one token and nothing else: it has 2 lines. Name the right file, or write the token alone into it.\n`,
  });
  expect(await ask('--url', 'here')).toMatchObject({ code: 2 });
  expect(await ask('--nonsense')).toMatchObject({ code: 2 });
});

test('a data folder in use names its holder and the way to join it', async () => {
  await using place = await createPlanFolder({ store: 'none' });
  const plan = await place.writePlan({});

  const { code, stderr } = await spawnBaton(['run', plan, '--data', data.path]);

  expect(code).toBe(2);
  expect(stderr).toContain(`in use by process ${daemon.pid}`);
  expect(stderr).toContain(`--url ${daemon.ready.httpUrl}`);
});

test('baton up says to a person where it listens, and logs nothing of it', async () => {
  await using folder = await createTestFolder();
  const dataDir = join(folder.path, 'data');
  const running = startBaton(['up', '--port', '0', '--data', dataDir]);
  await eventually(() => access(join(dataDir, 'coordinator.json')));
  running.kill('SIGTERM');
  const { code, stdout, stderr } = await running.exited;

  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toMatch(/^Listening at {2}ws:\/\/\S+\nStore {9}Embedded store: .+\nToken {9}\S.*token\nCtrl-C stops it\.\n$/);
});
