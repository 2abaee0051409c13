import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CommandError } from '../shell.ts';
import type { Conversation } from './conversation.ts';
import { readConversations } from './read-conversations.ts';

const packageFolder = dirname(fileURLToPath(import.meta.resolve('@baton/coordinator/package.json')));

/** In a checkout the folder beside the packages; in the published package the copy that `prepack` makes of it. */
const usualFolders = [join(packageFolder, '..', 'test', 'conformance'), join(packageFolder, 'conformance')];

/**
 * Reads the conversations of these files and folders, or else of those that come with Baton.
 * @throws CommandError where there are none, or one cannot be understood
 */
export async function findConversations(paths: readonly string[]): Promise<Conversation[]> {
  const files = paths.length > 0 ? (await Promise.all(paths.map(filesOf))).flat() : await usualFiles();
  if (files.length === 0)
    throw new CommandError(`There are no .io files${paths.length > 0 ? ` in ${paths.join(' ')}` : ''}.`, { exitCode: 2 });
  const read = await Promise.all(files.map(async (file) => readConversations(basename(file), await readFile(file, 'utf8'))));
  return read.flat();
}

async function usualFiles(): Promise<string[]> {
  for (const folder of usualFolders) {
    const files = await filesOf(folder).catch(() => []);
    if (files.length > 0) return files;
  }
  return [];
}

async function filesOf(path: string): Promise<string[]> {
  let isFolder: boolean;
  try {
    isFolder = (await stat(path)).isDirectory();
  } catch (cause) {
    throw new CommandError(`There is no file ${path}.`, { exitCode: 2, cause });
  }
  if (!isFolder) return [path];
  const names = await readdir(path);
  return names
    .filter((name) => name.endsWith('.io'))
    .sort()
    .map((name) => join(path, name));
}
