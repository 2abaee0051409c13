import { readFile, realpath } from 'node:fs/promises';
import { findPackageJSON } from 'node:module';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type PluginManifest, pluginApiVersion, pluginManifest } from '../plugin/index.ts';
import { z } from 'zod';
import { PluginSetupError } from './plugin-setup-error.ts';
import type { PluginSource } from './job.ts';

/** What a plugin says of itself without being run. */
export interface PluginInfo extends PluginManifest {
  /** The package's name. */
  readonly name: string;
  readonly version: string;
  readonly folder: string;
}
export type ReadPlugin = PluginInfo & {
  readonly source: PluginSource;
  /** The package or path by which the configuration names it. */
  readonly namedAs: string;
};

const packageJson = z.object({ name: z.string().min(1), version: z.string().default('0.0.0'), baton: z.unknown().optional() });

export interface Where {
  /** Where packages are looked for first: addresses of files. */
  readonly bases: readonly string[];
  /** What paths are relative to. */
  readonly cwd: string;
}

/** Reads the manifests of plugins named by package or by path. Throws a `PluginSetupError` that names every mistake at once. */
export async function readPlugins(names: readonly string[], where: Where): Promise<ReadPlugin[]> {
  const read = await Promise.allSettled([...new Set(names)].map((name) => readPlugin(name, where)));
  const plugins = read.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  const problems = [
    ...read.flatMap((one) => (one.status === 'rejected' ? [one.reason instanceof Error ? one.reason.message : String(one.reason)] : [])),
    ...findNamesakes(plugins),
    ...findClashes(plugins, 'validators'),
    ...findClashes(plugins, 'summarizers'),
  ];
  if (problems.length > 0) throw new PluginSetupError(`The plugins cannot be enabled:\n  ${problems.join('\n  ')}`);
  return plugins;
}

export interface PluginPackage {
  readonly name: string;
  readonly version: string;
  /** What stands in the `baton` field, whatever that is. */
  readonly baton: unknown;
  readonly source: PluginSource;
}

/** Throws for a person to read where there is no such package. */
export async function readPluginPackage(name: string, where: Where): Promise<PluginPackage> {
  const { packageFile: named, entryFile } = await findPackage(name, where);
  // Links are followed once, here: the package manager's do not lead to where a module finds itself.
  const packageFile = await realpath(named);
  const found = packageJson.safeParse(parseJson(await readFile(packageFile, 'utf8')));
  if (!found.success) throw new Error(`${name}: ${packageFile} is not a package.json with a name.`);
  const source = { name: found.data.name, packageFile, ...(entryFile === undefined ? {} : { entryFile }) };
  return { ...found.data, baton: found.data.baton, source };
}

async function readPlugin(name: string, where: Where): Promise<ReadPlugin> {
  const { baton, source, ...about } = await readPluginPackage(name, where);
  const { packageFile } = source;
  if (baton === undefined)
    throw new Error(
      `${name}: ${packageFile} has no "baton" field that says what it offers. For a plugin \`baton plugin manifest --write\` adds it.`,
    );
  const manifest = pluginManifest.safeParse(baton);
  if (!manifest.success) {
    const [issue] = manifest.error.issues;
    const where = ['baton', ...(issue?.path ?? [])].join('.');
    throw new Error(
      `${name}: ${where} in ${packageFile} does not fit (this coordinator speaks version ${pluginApiVersion}): ${issue?.message ?? ''}`,
    );
  }
  return { ...about, ...manifest.data, folder: dirname(packageFile), source, namedAs: name };
}

interface Found {
  readonly packageFile: string;
  readonly entryFile?: string;
}

async function findPackage(name: string, { cwd, bases: own }: Where): Promise<Found> {
  if (isPath(name)) return findByPath(name, resolve(cwd, name));
  // What the host brings along comes first; then what the user has installed where it is started.
  const bases = [...own, pathToFileURL(join(cwd, 'package.json')).href];
  const packageFile = bases.map((base) => findPackageOrUndefined(name, base)).find((file) => file !== undefined);
  if (packageFile === undefined) throw new Error(`${name}: no package of this name is installed. A path starts with ./ or /.`);
  return { packageFile };
}

/** Whether a plugin is named by where it lies, and not by its package. */
export const isPath = (name: string): boolean => name.startsWith('.') || isAbsolute(name);

async function findByPath(name: string, path: string): Promise<Found> {
  const inFolder = join(path, 'package.json');
  if (await isReadable(inFolder)) return { packageFile: inFolder };
  if (!(await isReadable(path))) throw new Error(`${name}: there is no package.json in ${path}, and no such file.`);
  const packageFile = findPackageOrUndefined(pathToFileURL(path).href, pathToFileURL(path).href);
  if (packageFile === undefined) throw new Error(`${name}: no package.json lies beside or above ${path}.`);
  return { packageFile, entryFile: path };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function findPackageOrUndefined(specifier: string, base: string): string | undefined {
  try {
    return findPackageJSON(specifier, base);
  } catch {
    return undefined;
  }
}

/** A folder is not: reading it fails. */
const isReadable = (file: string) =>
  readFile(file).then(
    () => true,
    () => false,
  );

/** By its name a plugin is allowed things, has its process, and is switched off. */
const findNamesakes = (plugins: readonly ReadPlugin[]): string[] =>
  [...Map.groupBy(plugins, ({ name }) => name)].flatMap(([name, namesakes]) =>
    namesakes.length < 2
      ? []
      : [
          `${namesakes.map(({ namedAs }) => namedAs).join(' and ')} both call themselves ${name} in their package.json. Enable one of them.`,
        ],
  );

function findClashes(plugins: readonly PluginInfo[], kind: 'validators' | 'summarizers'): string[] {
  const offers = Map.groupBy(
    plugins.flatMap((plugin) => plugin[kind].map((offer) => ({ offer, by: plugin.name }))),
    ({ offer }) => offer,
  );
  return [...offers].flatMap(([offer, by]) =>
    new Set(by.map((one) => one.by)).size < 2 ? [] : [`${offer} is offered by more than one: ${by.map((one) => one.by).join(', ')}.`],
  );
}
