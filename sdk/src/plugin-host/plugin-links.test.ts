import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { findLinkFaults } from './plugin-links.ts';

let folder: string;
beforeEach(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'baton-links-')));
  await write('plugin/index.js', '');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const at = (path: string) => join(folder, path);
async function write(path: string, text: string): Promise<void> {
  await mkdir(dirname(at(path)), { recursive: true });
  await writeFile(at(path), text);
}
async function link(path: string, target: string): Promise<void> {
  await mkdir(dirname(at(path)), { recursive: true });
  await symlink(target, at(path));
}
const check = (readable: readonly string[] = [], entriesMax?: number) =>
  findLinkFaults({
    plugin: 'acme',
    folders: [`${at('plugin')}/`],
    readable: [`${at('plugin')}/`, ...readable],
    ...(entriesMax !== undefined && { entriesMax }),
  });
const faultOf = (path: string, target: string) =>
  `acme: ${at(path)} is a link to ${at(target)}, out of what the plugin may read, and what lies there could be read by it. Take it away, put a copy in its place, or give the plugin a folder of its own; a package belongs to the "dependencies" in its package.json.`;

test.each([
  ['a file', 'plugin/deep/below/notes', '../../../home/.env', 'home/.env'],
  ['a folder', 'plugin/src', '../home', 'home'],
  ['what is not there yet', 'plugin/later', '../home/.later', 'home/.later'],
  ['a folder whose name begins as that of the plugin', 'plugin/other', '../plugin-of-others', 'plugin-of-others'],
  ['no package among packages', 'plugin/node_modules/home', '../../home', 'home'],
  ['a package, from among the files of another', 'plugin/node_modules/other/yours', '../../../packages/yours', 'packages/yours'],
  ['a package by another name', 'plugin/node_modules/mine', '../../packages/yours', 'packages/yours'],
  ['what is installed, from among its own files', 'plugin/src/notes', '../../node_modules/other/index.js', 'node_modules/other/index.js'],
])('a link to %s outside is told, with its place, its target and the remedy', async (_, path, target, resolved) => {
  await write('home/.env', '');
  await write('plugin-of-others/index.js', '');
  await write('packages/yours/package.json', '{ "name": "yours" }');
  await write('node_modules/other/index.js', '');

  await link(path, target);

  expect(check()).toEqual([faultOf(path, resolved)]);
});

test.each([
  ['a file of its own', 'plugin/same', 'index.js'],
  ['a folder that it may read', 'plugin/data', '../data'],
  ['a file that it may read', 'plugin/one', '../notes/one.txt'],
  ['itself', 'plugin/circle', 'circle'],
  ['an installed package', 'plugin/node_modules/@acme/tools', '../../../node_modules/.store/tools/node_modules/@acme/tools'],
  ['a program of an installed package', 'plugin/node_modules/.bin/tool', '../../../node_modules/tool/tool.js'],
  ['all installed packages', 'plugin/node_modules', '../node_modules'],
  ['a package of its workspace', 'plugin/node_modules/@acme/testing', '../../../packages/testing'],
])('a link to %s is no fault', async (_, path, target) => {
  await write('data/table.json', '{}');
  await write('notes/one.txt', '');
  await write('node_modules/.store/tools/node_modules/@acme/tools/package.json', '{}');
  await write('node_modules/tool/tool.js', '');
  await write('packages/testing/package.json', '{ "name": "@acme/testing" }');

  await link(path, target);

  expect(check([`${at('data')}/`, at('notes/one.txt')])).toEqual([]);
});

test('a file that it may read opens no folder whose name begins like it', async () => {
  await write('notes/one.txt', '');
  await write('notes/one.txt.d/secret', '');

  await link('plugin/more', '../notes/one.txt.d');

  expect(check([at('notes/one.txt')])).toEqual([faultOf('plugin/more', 'notes/one.txt.d')]);
});

test('of many links the first are told, and how many there are more', async () => {
  await write('home/.env', '');
  for (let number = 1; number <= 7; number += 1) await link(`plugin/${number}`, '../home/.env');

  const faults = check();

  expect(faults).toHaveLength(6);
  expect(faults.at(-1)).toBe('acme: there are 2 more such links.');
});

test('more than can be looked through is told as such, with the remedy', async () => {
  await write('plugin/lib/one.js', '');

  expect(check([], 3)).toEqual([]);
  expect(check([], 2)).toEqual([
    `acme: below ${at('plugin')}/ and among its dependencies lie more than 2 files and folders, too many to look for links. Give it a folder of its own, or name it by its file.`,
  ]);
});
