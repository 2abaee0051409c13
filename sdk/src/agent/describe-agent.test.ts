import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeAgent } from './describe-agent.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'baton-describe-'));
});
afterAll(() => rm(folder, { recursive: true }));

const write = async (name: string, text: string) => {
  const file = join(folder, name);
  await writeFile(file, text);
  return file;
};

test('an agent is described without being run', async () => {
  expect(await describeAgent(new URL('./agent-fixture.ts', import.meta.url))).toEqual({
    name: 'fixture',
    capabilities: [
      'add',
      'add-inline',
      'arithmetic',
      'block',
      'doze-and-spin-inline',
      'fail',
      'flaky',
      'follow',
      'nap',
      'spin',
      'talk',
      'wait',
      'wait-inline',
    ],
    capacity: 2,
    tags: [],
    tasks: [
      'add',
      'add-inline',
      'wait',
      'wait-inline',
      'spin',
      'block',
      'doze-and-spin-inline',
      'fail',
      'talk',
      'follow',
      'flaky',
      'nap',
    ].map((type) => ({
      type,
    })),
  });
});

test('a module that does not load is named with the reason', async () => {
  const file = await write('broken.mjs', 'throw new Error("no good")');

  await expect(describeAgent(pathToFileURL(file))).rejects.toThrow(`The agent module ${file} does not load: no good`);
});

test('a module without an agent is named', async () => {
  const file = await write('other.mjs', 'export default { name: "other" }');

  await expect(describeAgent(pathToFileURL(file))).rejects.toThrow(
    `The agent module ${file} has no default export made with defineAgent().`,
  );
});
