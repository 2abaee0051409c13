import { defineTask } from '@baton/sdk';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { findFiles } from '../project/find-files.ts';
import { readManifest } from '../project/manifest.ts';
import { editFile } from '../project/work-files.ts';
import { workspaceOf } from '../project/workspace.ts';
import { addFields, findManifestAdditions, missingFields } from './complete-manifest.ts';

/** Fills in the fields of package.json that the project answers elsewhere. What it does not answer stays a question. */
export const completeManifest = defineTask({
  type: 'complete-manifest',
  output: z.object({ added: z.array(z.string()), missing: z.array(z.string()) }),
  async run(_input, ctx) {
    const root = workspaceOf(ctx);
    const read = async (pattern: string) => {
      const [path] = await findFiles(root, pattern);
      return path === undefined ? undefined : readFile(join(root, path), 'utf8');
    };
    const additions = findManifestAdditions(await readManifest(root), {
      changelog: await read('CHANGELOG.md'),
      license: await read('LICENSE*'),
    });
    if (additions.length > 0)
      await editFile(root, 'package.json', addFields(await readFile(join(root, 'package.json'), 'utf8'), additions));
    for (const { field, value, source } of additions) {
      ctx.note({
        kind: 'decision',
        text: `package.json: ${field} is ${JSON.stringify(value)}.`,
        rationale: `Taken from ${source}.`,
        references: [{ kind: 'file', value: 'package.json' }],
      });
    }
    const missing = missingFields(await readManifest(root));
    for (const field of missing)
      ctx.note({ kind: 'question', text: `package.json has no ${field}, and nothing in the project says what it should be.` });
    const added = additions.map(({ field }) => field);
    ctx.summary(
      `package.json: ${added.length === 0 ? 'nothing added' : `added ${added.join(', ')}`}${missing.length === 0 ? '' : `; still without ${missing.join(', ')}`}.`,
    );
    return { added, missing };
  },
});
