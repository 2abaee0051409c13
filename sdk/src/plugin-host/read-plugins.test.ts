import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createPluginFixture, type PluginFixture, writePackage } from './plugin-fixture.ts';
import { readPlugins } from './read-plugins.ts';

let fixture: PluginFixture;
beforeAll(async () => {
  fixture = await createPluginFixture();
});
afterAll(() => fixture.remove());

const manifest = (offers: object) => ({ baton: { apiVersion: 1, ...offers } });
const fatal = 'throw new Error("Listing must not run me.");';

/** Where the plugins lie that the tests know by package. */
const bases = [import.meta.resolve('@baton/coordinator/package.json')];

test('a plugin is found by package from where the host says, and by path', async () => {
  await writePackage(
    join(fixture.folder, 'by-path'),
    { name: 'by-path', version: '2.1.0', ...manifest({ validators: ['a'], summarizers: ['b'] }) },
    fatal,
  );

  const plugins = await readPlugins(['@baton/plugin-criteria', './by-path'], { cwd: fixture.folder, bases });

  expect(plugins).toMatchObject([
    { name: '@baton/plugin-criteria', apiVersion: 1, validators: ['criteria'], summarizers: [] },
    { name: 'by-path', version: '2.1.0', validators: ['a'], summarizers: ['b'], folder: join(fixture.folder, 'by-path') },
  ]);
});

test('a plugin that the user has installed is found by package', async () => {
  await writePackage(join(fixture.folder, 'node_modules', 'installed'), { name: 'installed', ...manifest({ validators: ['c'] }) }, fatal);

  expect(await readPlugins(['installed'], { cwd: fixture.folder, bases })).toMatchObject([{ name: 'installed', validators: ['c'] }]);
});

test('a plugin named by its file has the manifest above it', async () => {
  const folder = await writePackage(join(fixture.folder, 'by-file'), { name: 'by-file', ...manifest({ validators: ['d'] }) }, fatal);
  await mkdir(join(folder, 'src'));
  await writeFile(join(folder, 'src', 'other.mjs'), fatal);

  expect(await readPlugins(['./by-file/src/other.mjs'], { cwd: fixture.folder, bases })).toMatchObject([
    { name: 'by-file', source: { entryFile: join(folder, 'src', 'other.mjs') } },
  ]);
});

test('two plugins of one name are refused: by its name a plugin has its process and its permissions', async () => {
  await writePackage(join(fixture.folder, 'double'), { name: '@baton/plugin-command', ...manifest({ validators: ['e'] }) }, fatal);

  const reading = readPlugins(['./double', '@baton/plugin-command'], { cwd: fixture.folder, bases });

  await expect(reading).rejects.toThrow('./double and @baton/plugin-command both call themselves @baton/plugin-command');
});

test('every mistake is named at once', async () => {
  await writePackage(join(fixture.folder, 'plain'), { name: 'plain' }, fatal);
  await writePackage(join(fixture.folder, 'later'), { name: 'later', baton: { apiVersion: 2 } }, fatal);
  await writePackage(join(fixture.folder, 'same'), { name: 'same', ...manifest({ validators: ['criteria'] }) }, fatal);

  const reading = readPlugins(['no-such-package', './nowhere', './plain', './later', './same', '@baton/plugin-criteria'], {
    cwd: fixture.folder,
    bases,
  });

  const error = await reading.catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ name: 'PluginSetupError' });
  expect(String(error).split('\n  ').slice(1)).toEqual([
    'no-such-package: no package of this name is installed. A path starts with ./ or /.',
    `./nowhere: there is no package.json in ${join(fixture.folder, 'nowhere')}, and no such file.`,
    `./plain: ${join(fixture.folder, 'plain', 'package.json')} has no "baton" field that says what it offers. For a plugin \`baton plugin manifest --write\` adds it.`,
    `./later: baton.apiVersion in ${join(fixture.folder, 'later', 'package.json')} does not fit (this coordinator speaks version 1): Invalid input: expected 1`,
    'criteria is offered by more than one: same, @baton/plugin-criteria.',
  ]);
});
