import { readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type BugName, type SeededBug, seededBugs } from './bugs.ts';

// Preloaded into a coordinator by `--import`: the source of one file is changed while it is loaded. Without the name of a bug,
// as in the processes that the coordinator starts, nothing is.
const name = process.env['BATON_SEED_BUG'];
if (name !== undefined) plant(name, seededBugs[name as BugName]);

function plant(name: string, bug: SeededBug | undefined): void {
  if (bug === undefined) throw new Error(`There is no bug "${name}".`);
  const path = join(import.meta.dirname, '..', '..', 'coordinator', 'src', bug.file);
  const pieces = readFileSync(path, 'utf8').split(bug.fragment);
  if (pieces.length !== 2)
    throw new Error(
      `"${name}" cannot be planted: its fragment stands ${pieces.length - 1} times in ${bug.file}, and has to stand there once.`,
    );

  const url = pathToFileURL(path).href;
  registerHooks({
    load(loaded, context, nextLoad) {
      const result = nextLoad(loaded, context);
      return loaded === url ? { ...result, source: pieces.join(bug.replacement) } : result;
    },
  });
}
