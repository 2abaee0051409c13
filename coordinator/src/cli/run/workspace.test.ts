import { mkdir, mkdtemp, readdir, readlink, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { copyWorkspace } from './workspace.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'baton workspace '));
});
afterEach(() => rm(folder, { recursive: true }));

async function write(...files: string[]): Promise<void> {
  for (const file of files) {
    await mkdir(join(folder, file, '..'), { recursive: true });
    await writeFile(join(folder, file), file);
  }
}
const filesIn = async (path: string) =>
  (await readdir(path, { recursive: true, withFileTypes: true }))
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(path.length + 1))
    .sort();

test('copies what belongs to the project, also into a folder within it, and links installed packages', async () => {
  await write('src/a.ts', 'src/b.test.ts', 'package.json', 'node_modules/x/index.js', '.git/HEAD', 'dist/a.js', '.baton/token');
  const target = join(folder, '.baton/runs/1/workspace');
  await mkdir(join(target, '..'), { recursive: true });

  await copyWorkspace({ folder }, target);

  expect(await filesIn(target)).toEqual(['node_modules', 'package.json', 'src/a.ts', 'src/b.test.ts']);
  expect(await readlink(join(target, 'node_modules'))).toBe(join(folder, 'node_modules'));
});

test('copies into a data folder within the project without copying that folder', async () => {
  await write('a.ts', 'state/token');
  const target = join(folder, 'state/runs/1/workspace');

  await copyWorkspace({ folder }, target);

  expect(await filesIn(target)).toEqual(['a.ts']);
});

test('takes what is included and not excluded', async () => {
  await write('project/src/a.ts', 'project/src/a.test.ts', 'project/README.md');
  const target = join(folder, 'copy');

  await copyWorkspace({ folder: join(folder, 'project'), include: ['src/**'], exclude: ['**/*.test.ts'] }, target);

  expect(await filesIn(target)).toEqual(['src/a.ts']);
});

test('says so when there is no such folder', () =>
  expect(copyWorkspace({ folder: join(folder, 'none') }, join(folder, 'x'))).rejects.toThrow(/There is no folder/));
