import { readFile, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { type PluginManifest, pluginManifest } from '@baton/sdk/plugin';
import { describePlugin, PluginSetupError } from '@baton/sdk/plugin/host';
import { readSettings } from './read-settings.ts';
import { CommandError, printLine, type Shell } from './shell.ts';

export interface PluginManifestOptions {
  readonly write?: boolean;
  readonly json?: boolean;
}

const log = { debug() {}, warn() {}, error() {} };

/**
 * `baton plugin manifest`: holds the `baton` field of a package.json against what the code offers, and writes it on request. The
 * code is loaded in the process that plugins have, never in this one. The exit code is 2 where the field is out of date.
 */
export async function manifestPlugin(
  shell: Shell,
  folder: string,
  { write = false, json = false }: PluginManifestOptions,
): Promise<number> {
  // What coordinators keep that are started here, or in the folder of the plugin.
  const { dataDir } = readSettings({}, shell.env);
  const withheld = [dataDir, resolve(folder, '.baton')];
  const { name, packageFile, offers, baton } = await describePlugin(resolve(folder), { log, withheld }).catch((cause: unknown) => {
    throw cause instanceof PluginSetupError ? new CommandError(cause.message, { cause }) : cause;
  });
  const differences = findDifferences(baton, offers);
  const isStale = differences.length > 0;
  if (isStale && write) await writeManifest(packageFile, baton, offers);
  if (json) printLine(shell.stdout, JSON.stringify({ name, packageFile, offers, differences, written: isStale && write }));
  else if (!isStale) printLine(shell.stdout, `The manifest of ${name} says what its code offers.`);
  else if (write) printLine(shell.stdout, `Written: ${packageFile}`);
  else {
    for (const difference of differences) printLine(shell.stderr, `${packageFile}: ${difference}`);
    printLine(shell.stderr, 'Run `baton plugin manifest --write`.');
  }
  return isStale && !write ? 2 : 0;
}

const fields = ['apiVersion', 'validators', 'summarizers', 'permissions'] as const satisfies readonly (keyof PluginManifest)[];

function findDifferences(baton: unknown, offers: PluginManifest): string[] {
  if (baton === undefined) return ['there is no `baton` field'];
  const read = pluginManifest.safeParse(baton);
  if (!read.success) return read.error.issues.map(({ path, message }) => `${['baton', ...path].join('.')} does not fit: ${message}`);
  const validators = [...new Set([...Object.keys(read.data.configs), ...Object.keys(offers.configs)])];
  return [
    ...fields
      .filter((field) => !isDeepStrictEqual(read.data[field], offers[field]))
      .map((field) => `baton.${field} is ${JSON.stringify(read.data[field])}, and the code offers ${JSON.stringify(offers[field])}`),
    ...validators
      .filter((name) => !isDeepStrictEqual(read.data.configs[name], offers.configs[name]))
      .map((name) => `baton.configs.${name} is not the schema of what the code takes as configuration`),
  ];
}

/** Everything else in the file stays as it is, its indentation too. */
async function writeManifest(packageFile: string, baton: unknown, { permissions, configs, ...offers }: PluginManifest): Promise<void> {
  const text = await readFile(packageFile, 'utf8');
  const about = JSON.parse(text) as Record<string, unknown>;
  const { permissions: _, configs: _configs, ...kept } = (typeof baton === 'object' ? baton : {}) as Record<string, unknown>;
  const isConfigured = Object.keys(configs).length > 0;
  about['baton'] = { ...kept, ...offers, ...(permissions.length > 0 && { permissions }), ...(isConfigured && { configs }) };
  const indentation = /^[ \t]+/m.exec(text)?.[0] ?? '  ';
  await writeFile(packageFile, `${JSON.stringify(about, undefined, indentation)}\n`);
}
