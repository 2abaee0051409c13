import { CoordinatorError, PermanentTaskError, type TaskContext } from '@baton/sdk';
import { createHash } from 'node:crypto';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { type Project, readProject } from './read-project.ts';

/** The scratch copy that the plan made of the project. Trying again would not bring one about. */
export function workspaceOf({ workspace }: TaskContext): string {
  if (workspace === undefined)
    throw new PermanentTaskError('There is no workspace: the plan needs `workspace: { copy: … }`, or BATON_WORKSPACE has to be set.');
  return workspace;
}

export async function openProject(ctx: TaskContext): Promise<Project> {
  const root = workspaceOf(ctx);
  const hasManifest = await access(join(root, 'package.json')).then(
    () => true,
    () => false,
  );
  if (!hasManifest)
    throw new PermanentTaskError('The project has no package.json, so there is nothing to release. Name its folder with --project DIR.');
  return readProject(root);
}

/** A lock key for a file, also for one whose name has signs that a key of the kind `file:` may not have. */
export const fileLock = (path: string): string => `${/[*?[\]{}]/.test(path) ? 'source' : 'file'}:${path}`;

/** Held shared by all that change sources or tests, each with the lock of its own file; exclusively by what measures the whole. */
export const treeLock = 'tree:workspace';

/** A task's reference for a path. A path may be longer than a reference, and may have signs that a reference may not. */
export function refFor(kind: string, path: string): string {
  const clean = path.replaceAll(/[^A-Za-z0-9_./-]/g, '_').slice(-80);
  return clean === path ? `${kind}/${path}` : `${kind}/${createHash('sha256').update(path).digest('hex').slice(0, 8)}/${clean}`;
}

/** A task as `ctx.spawn` takes it. */
export type NewTask = Parameters<TaskContext['spawn']>[0][number];

/**
 * Adds tasks, unless an attempt before this one has added them and did not live to tell: a submission is all or none, so
 * that one reference which is there already means that all are.
 */
export async function spawnOnce(ctx: TaskContext, tasks: readonly NewTask[]): Promise<void> {
  try {
    await ctx.spawn(tasks);
  } catch (error) {
    if (!(error instanceof CoordinatorError) || error.kind !== 'reference_duplicate') throw error;
  }
}
