import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { holdDataFolder } from './data-folder.ts';

let folder: string;
beforeEach(async () => {
  folder = join(await mkdtemp(join(tmpdir(), 'baton-data-')), 'data');
});
afterEach(() => rm(join(folder, '..'), { recursive: true, force: true }));

test('the folder is made for its owner alone, and its lock names the process', async () => {
  const held = await holdDataFolder(folder);

  expect((await stat(folder)).mode & 0o777).toBe(0o700);
  expect(JSON.parse(await readFile(join(folder, 'lock'), 'utf8'))).toMatchObject({ pid: process.pid });
  held.release();
});

test('a second opener is refused with the pid of the first, until that lets go', async () => {
  const held = await holdDataFolder(folder);

  await expect(holdDataFolder(folder)).rejects.toThrow(`in use by process ${process.pid}`);
  held.release();

  (await holdDataFolder(folder)).release();
});

test('what a dead process held is taken over, a living one is never robbed', async () => {
  const other = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
  (await holdDataFolder(folder)).release();
  await writeFile(join(folder, 'lock'), JSON.stringify({ pid: other.pid }));

  await expect(holdDataFolder(folder)).rejects.toThrow(`in use by process ${other.pid}`);
  other.kill('SIGKILL');
  await once(other, 'exit');

  (await holdDataFolder(folder)).release();
});

test('a process that only has the pid of the dead holder is not taken for it', async () => {
  (await holdDataFolder(folder)).release();
  await writeFile(join(folder, 'lock'), JSON.stringify({ pid: process.pid, startedAt: '1' }));

  (await holdDataFolder(folder)).release();
});

test('of many that find a dead holder at once exactly one gets the folder', async () => {
  (await holdDataFolder(folder)).release();
  await writeFile(join(folder, 'lock'), JSON.stringify({ pid: 2 ** 22 + 1, startedAt: '1' }));

  const outcomes = await Promise.allSettled(Array.from({ length: 8 }, () => holdDataFolder(folder)));

  const held = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
  expect(held).toHaveLength(1);
  held[0]!.release();
});
