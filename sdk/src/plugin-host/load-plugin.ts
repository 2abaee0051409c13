import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Plugin, pluginApiVersion } from '../plugin/index.ts';
import type { PluginSource } from './job.ts';

/** Imports a plugin's code. Only a plugin thread may call this. Throws for a person to read. */
export async function loadPlugin(source: PluginSource): Promise<Plugin> {
  const module: { readonly default?: unknown } = await import(entryOf(source));
  const plugin = module.default;
  if (!isPlugin(plugin)) throw new TypeError(`${source.name} does not export the result of definePlugin by default.`);
  const written: number = plugin.apiVersion;
  if (written !== pluginApiVersion) {
    throw new TypeError(
      `${source.name} is written for version ${written} of the plugin contract; this coordinator speaks ${pluginApiVersion}.`,
    );
  }
  return plugin;
}

function entryOf({ name, packageFile, entryFile }: PluginSource): string {
  if (entryFile !== undefined) return pathToFileURL(entryFile).href;
  const base = pathToFileURL(packageFile).href;
  // A package with `exports` may import itself by name, whichever conditions its entry has.
  const own = resolveOrUndefined(name, base);
  if (own?.startsWith(new URL('.', base).href) === true) return own;
  return pathToFileURL(createRequire(packageFile).resolve(dirname(packageFile))).href;
}

function resolveOrUndefined(name: string, base: string): string | undefined {
  try {
    return import.meta.resolve(name, base);
  } catch {
    return undefined;
  }
}

const isPlugin = (value: unknown): value is Plugin =>
  typeof value === 'object' &&
  value !== null &&
  'validators' in value &&
  Array.isArray(value.validators) &&
  'summarizers' in value &&
  Array.isArray(value.summarizers);
