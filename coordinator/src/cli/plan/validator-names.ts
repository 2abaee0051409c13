import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { isAbsolute, join, resolve } from 'node:path';
import { z } from 'zod';

const packageFile = z.object({ baton: z.object({ validators: z.array(z.string()).default([]) }) });

/**
 * The validators that the enabled plugins say they offer, without running any of them. Undefined where one cannot be read:
 * the coordinator says why when it starts.
 */
export async function readValidatorNames(plugins: readonly string[]): Promise<string[] | undefined> {
  try {
    const lists = await Promise.all(plugins.map(readValidators));
    return lists.flat().sort();
  } catch {
    return undefined;
  }
}

async function readValidators(plugin: string): Promise<string[]> {
  const isPath = plugin.startsWith('.') || isAbsolute(plugin);
  const file = isPath ? join(resolve(plugin), 'package.json') : createRequire(import.meta.url).resolve(`${plugin}/package.json`);
  return packageFile.parse(JSON.parse(await readFile(file, 'utf8'))).baton.validators;
}
