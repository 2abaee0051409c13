import { defineTask, PermanentTaskError, type TaskContext } from '@baton/sdk';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { readDocumentation } from '../project/documentation.ts';
import { publicNames, readProject } from '../project/read-project.ts';
import { parseModule } from '../project/source-module.ts';
import { editFile } from '../project/work-files.ts';
import { workspaceOf } from '../project/workspace.ts';
import { publishNames } from './barrel.ts';
import { addDocComments } from './doc-comments.ts';
import { checkLoading } from './check-loading.ts';

const input = z.object({ path: z.string(), document: z.array(z.string()), publish: z.array(z.string()), entry: z.string().nullable() });

/** Carries what the documents say of a module into its doc comments, and its promised names into the entry of the package. */
export const improveModule = defineTask({
  type: 'improve-module',
  input,
  output: z.object({ path: z.string(), documented: z.array(z.string()), published: z.array(z.string()), skipped: z.array(z.string()) }),
  async run({ path, document, publish, entry }, ctx) {
    const root = workspaceOf(ctx);
    const skipped: string[] = [];
    ctx.progress(10, `reading ${path}`);
    const documented = document.length === 0 ? [] : await documentExports(root, path, document);
    ctx.progress(50, `checking ${path}`);
    const published = entry === null || publish.length === 0 ? [] : await publishExports(root, { path, entry, publish }, ctx);
    for (const file of [path, ...(published.length > 0 && entry !== null ? [entry] : [])]) {
      const problem = await checkLoading(root, file, ctx.signal);
      if (problem?.kind === 'broken') throw new PermanentTaskError(`${file} cannot be loaded any more: ${problem.reason}`);
      if (problem?.kind === 'unknown') skipped.push(`loading ${file}: ${problem.reason}`);
    }
    const done = [
      documented.length > 0 ? `documented ${documented.join(', ')}` : '',
      published.length > 0 ? `exported ${published.join(', ')} from ${entry ?? ''}` : '',
      ...skipped.map((step) => `skipped ${step}`),
    ].filter((words) => words !== '');
    ctx.summary(`${path}: ${done.length === 0 ? 'nothing to do' : done.join('; ')}.`);
    return { path, documented, published, skipped };
  },
});

async function documentExports(root: string, path: string, names: readonly string[]): Promise<string[]> {
  const promised = await readDocumentation(root, new Set(names));
  const edited = addDocComments(path, await readFile(join(root, path), 'utf8'), promised);
  if (edited.names.length > 0) await editFile(root, path, edited.text);
  return [...edited.names];
}

/** The caller holds the lock of the entry: others add their names to it as well. */
async function publishExports(
  root: string,
  { path, entry, publish }: { path: string; entry: string; publish: readonly string[] },
  ctx: TaskContext,
): Promise<string[]> {
  const { exports } = parseModule(path, await readFile(join(root, path), 'utf8'));
  const before = publicNames(await readProject(root));
  // Types go along: who calls a function has to be able to name what it takes and gives.
  const names = exports.filter(({ name, kind }) => !before.has(name) && (publish.includes(name) || kind === 'type'));
  if (names.length === 0) return [];
  await editFile(root, entry, publishNames(entry, await readFile(join(root, entry), 'utf8'), { path, names }));
  const after = publicNames(await readProject(root));
  const lost = (await namesToKeep(ctx)).filter((name) => !after.has(name));
  if (lost.length > 0) throw new PermanentTaskError(`${entry} would no longer export ${lost.join(', ')}, which the requirements forbid.`);
  return names.map(({ name }) => name);
}

const namesConstraint = z.object({ publicNames: z.array(z.string()) });

/** What the analyst noted in an earlier phase: the names that a release must not lose. */
async function namesToKeep(ctx: TaskContext): Promise<string[]> {
  const { phases } = await ctx.context.pack();
  return phases
    .flatMap(({ items }) => items)
    .flatMap(({ kind, data }) => {
      const constraint = kind === 'constraint' ? namesConstraint.safeParse(data) : undefined;
      return constraint?.success === true ? constraint.data.publicNames : [];
    });
}
