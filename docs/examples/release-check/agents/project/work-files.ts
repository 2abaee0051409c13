import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';

/** What the agents keep about their work on a project: beside it, so that neither npm pack nor a test runner finds it. */
export const workFolder = (root: string): string => `${root}.release-check`;

export async function writeWorkFile(root: string, name: string, value: unknown): Promise<void> {
  const path = join(workFolder(root), name);
  await writeWhole(path, JSON.stringify(value));
}

/** Undefined where nothing has been written yet. */
export async function readWorkFile<T>(root: string, name: string, schema: z.ZodType<T>): Promise<T | undefined> {
  try {
    return schema.parse(JSON.parse(await readFile(join(workFolder(root), name), 'utf8')));
  } catch (error) {
    if (isAbsence(error)) return undefined;
    throw error;
  }
}

export const removeWorkFile = (root: string, name: string): Promise<void> => rm(join(workFolder(root), name), { force: true });

const original = z.object({ path: z.string(), text: z.string().nullable() });

export interface Change {
  readonly path: string;
  /** Empty for a file that is new. */
  readonly before: string;
  readonly after: string;
  readonly isNew: boolean;
}

/** Writes a file of the project, keeping what was there before the first change of all. Its caller holds the lock of the file. */
export async function editFile(root: string, path: string, text: string): Promise<void> {
  const name = originalName(path);
  if ((await readWorkFile(root, name, original)) === undefined) {
    await writeWorkFile(root, name, { path, text: (await readIfThere(join(root, path))) ?? null });
  }
  await writeWhole(join(root, path), text);
}

/** The file has all of the text or is as it was: an agent may be killed at any moment, and another attempt goes on. */
async function writeWhole(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const draft = `${path}.partial`;
  await writeFile(draft, text);
  await rename(draft, path);
}

/** All files that differ from what they were at the start, by path. */
export async function listChanges(root: string): Promise<Change[]> {
  const names = await readdir(join(workFolder(root), 'before')).catch((error: unknown) => {
    if (isAbsence(error)) return [];
    throw error;
  });
  const changes: Change[] = [];
  for (const name of names) {
    const kept = await readWorkFile(root, join('before', name), original);
    if (kept === undefined) continue;
    const after = (await readIfThere(join(root, kept.path))) ?? '';
    if (after !== kept.text) changes.push({ path: kept.path, before: kept.text ?? '', after, isNew: kept.text === null });
  }
  return changes.toSorted((a, b) => (a.path < b.path ? -1 : 1));
}

const originalName = (path: string): string => join('before', `${createHash('sha256').update(path).digest('hex').slice(0, 16)}.json`);

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (isAbsence(error)) return undefined;
    throw error;
  }
}

const isAbsence = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 'ENOENT';
