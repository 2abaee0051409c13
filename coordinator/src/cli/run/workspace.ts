import { copyFile, mkdir, readdir, readlink, rename, rm, stat, symlink } from 'node:fs/promises';
import { join, matchesGlob, resolve } from 'node:path';
import { CommandError } from '../shell.ts';

export interface WorkspaceSource {
  /** The folder to copy. */
  readonly folder: string;
  /** Globs relative to the folder. Without any, everything is taken. */
  readonly include?: readonly string[] | undefined;
  readonly exclude?: readonly string[] | undefined;
}

/** What is made from the rest, or belongs to a tool: never copied. */
const neverCopied = new Set(['node_modules', '.git', 'dist', '.baton']);

/**
 * Copies a folder, so that agents may change it. The copy appears whole or not at all. Installed packages are not copied but
 * linked: they are large, and nobody changes them.
 */
export async function copyWorkspace({ folder, include, exclude = [] }: WorkspaceSource, target: string): Promise<void> {
  const isFolder = await stat(folder).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (!isFolder) throw new CommandError(`There is no folder ${folder} to work on.`, { exitCode: 2 });
  const draft = `${target}.partial`;
  await rm(draft, { recursive: true, force: true });
  // The data folder may lie within the project: neither its token nor the copy itself is a part of the copy.
  const without = resolve(target, '..', '..', '..');
  const takes = (path: string) =>
    (include === undefined || include.some((glob) => matchesGlob(path, glob))) && !exclude.some((glob) => matchesGlob(path, glob));
  await copyFolder({ from: folder, to: draft, path: '' }, { takes, without });
  await rename(draft, target);
}

interface Step {
  readonly from: string;
  readonly to: string;
  /** From the folder that is copied, with slashes. */
  readonly path: string;
}

interface Rules {
  readonly takes: (path: string) => boolean;
  readonly without: string;
}

async function copyFolder({ from, to, path }: Step, rules: Rules): Promise<void> {
  if (from === rules.without) return;
  await mkdir(to, { recursive: true });
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const step = { from: join(from, entry.name), to: join(to, entry.name), path: path === '' ? entry.name : `${path}/${entry.name}` };
    if (entry.name === 'node_modules') await linkFolder(step);
    else if (neverCopied.has(entry.name)) continue;
    else if (entry.isDirectory()) await copyFolder(step, rules);
    else if (!rules.takes(step.path)) continue;
    else if (entry.isSymbolicLink()) await copyLink(step);
    else if (entry.isFile()) await copyFile(step.from, step.to);
  }
}

const linkFolder = ({ from, to }: Step): Promise<void> => symlink(from, to, 'junction');

async function copyLink({ from, to }: Step): Promise<void> {
  const target = await readlink(from);
  const kind = await stat(from).then(
    (found) => (found.isDirectory() ? 'dir' : 'file'),
    () => 'file' as const,
  );
  await symlink(target, to, kind);
}
