import { readFileSync, realpathSync } from 'node:fs';
import { findPackageJSON } from 'node:module';
import { dirname, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import { z } from 'zod';

const packageJson = z.object({
  dependencies: z.record(z.string(), z.string()).default({}),
  optionalDependencies: z.record(z.string(), z.string()).default({}),
  peerDependencies: z.record(z.string(), z.string()).default({}),
});

/** What every plugin is written with, whether it says so or not. */
const contract = ['@baton/sdk', 'zod'];

/**
 * The folders that code of a package may read: its own, and those of what it depends on, and what that depends on. Each as it is
 * found and as it lies, since package managers work with links. All of them end with a separator.
 */
export function findPlaces(packageFile: string, more: readonly string[] = contract): string[] {
  const places = new Set<string>();
  const waiting = [{ file: packageFile, names: [...more, ...dependenciesOf(packageFile)] }];
  const seen = new Set([packageFile]);
  // Arrays are walked to their end, and what is added on the way is walked too.
  for (const { file, names } of waiting) {
    places.add(dirname(file) + sep).add(dirname(realpathSync(file)) + sep);
    for (const name of names) {
      const found = findPackage(name, realpathSync(file));
      if (found === undefined || seen.has(found)) continue;
      seen.add(found);
      waiting.push({ file: found, names: dependenciesOf(found) });
    }
  }
  return [...places];
}

function dependenciesOf(packageFile: string): string[] {
  const { dependencies, optionalDependencies, peerDependencies } = packageJson.parse(JSON.parse(readFileSync(packageFile, 'utf8')));
  return Object.keys({ ...dependencies, ...optionalDependencies, ...peerDependencies });
}

/** Undefined for one that is not installed: an optional one, or one that the plugin will miss when it runs. */
function findPackage(name: string, from: string): string | undefined {
  try {
    return findPackageJSON(name, pathToFileURL(from));
  } catch {
    return undefined;
  }
}
