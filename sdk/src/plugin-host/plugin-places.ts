import { readFileSync, realpathSync } from 'node:fs';
import { findPackageJSON } from 'node:module';
import { dirname, resolve, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import { z } from 'zod';
import type { PluginSource } from './job.ts';
import { isLinkedPackage } from './plugin-links.ts';

const packageJson = z.object({
  dependencies: z.record(z.string(), z.string()).default({}),
  optionalDependencies: z.record(z.string(), z.string()).default({}),
  peerDependencies: z.record(z.string(), z.string()).default({}),
  main: z.unknown().optional(),
  exports: z.unknown().optional(),
});

/** What every plugin is written with, whether it says so or not. */
const contract = ['@baton/sdk', 'zod'];

/**
 * What the code of a plugin may read: its package, and what that depends on. A plugin that was named by a file may lie anywhere in
 * a project whose package.json says nothing of it, and the project holds more than the plugin: then it is the file's own folder and
 * the package.json; and if they lie side by side, these two files.
 */
export function findPlaces({ packageFile, entryFile }: PluginSource): string[] {
  const all = findPackagePlaces(packageFile, contract);
  if (entryFile === undefined) return all;
  const entry = realpathSync.native(entryFile);
  const [home, folder] = [dirname(realpathSync.native(packageFile)) + sep, dirname(entry) + sep];
  if (entriesOf(packageFile).includes(entry)) return all;
  const own = folder === home ? [entryFile, entry] : [dirname(entryFile) + sep, folder];
  return [...own, packageFile, ...all.filter((place) => place !== home)];
}

/**
 * The folders of a package, of what it depends on, and of what that depends on. Each as it is found and as it lies, since package
 * managers work with links. All of them end with a separator. What stands in the place of a package and leads to something else is none.
 */
export function findPackagePlaces(packageFile: string, more: readonly string[]): string[] {
  const places = new Set<string>();
  const waiting = [{ file: packageFile, names: [...more, ...dependenciesOf(packageFile)] }];
  const seen = new Set([packageFile]);
  // Arrays are walked to their end, and what is added on the way is walked too.
  for (const { file, names } of waiting) {
    places.add(dirname(file) + sep).add(dirname(realpathSync.native(file)) + sep);
    for (const name of names) {
      const found = findPackage(name, realpathSync.native(file));
      if (found === undefined || seen.has(found) || !isPackage(found)) continue;
      seen.add(found);
      waiting.push({ file: found, names: dependenciesOf(found) });
    }
  }
  return [...places];
}

const readPackage = (packageFile: string) => packageJson.parse(JSON.parse(readFileSync(packageFile, 'utf8')));

/** Where the package says that it is entered, whatever the conditions. */
function entriesOf(packageFile: string): string[] {
  const { main, exports } = readPackage(packageFile);
  const home = dirname(realpathSync.native(packageFile));
  return [main, ...textsOf(exports)].flatMap((path) => (typeof path === 'string' ? [resolve(home, path)] : []));
}

const textsOf = (value: unknown): unknown[] =>
  typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsOf) : [value];

function dependenciesOf(packageFile: string): string[] {
  const { dependencies, optionalDependencies, peerDependencies } = readPackage(packageFile);
  return Object.keys({ ...dependencies, ...optionalDependencies, ...peerDependencies });
}

function isPackage(packageFile: string): boolean {
  const [place, folder] = [dirname(packageFile), dirname(realpathSync.native(packageFile))];
  return place === folder || isLinkedPackage(place, folder);
}

/** Undefined for one that is not installed: an optional one, or one that the plugin will miss when it runs. */
function findPackage(name: string, from: string): string | undefined {
  try {
    return findPackageJSON(name, pathToFileURL(from));
  } catch {
    return undefined;
  }
}
