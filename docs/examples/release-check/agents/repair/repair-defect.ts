import { defineTask, PermanentTaskError } from '@baton/sdk';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { buildImportGraph } from '../project/import-graph.ts';
import { count } from '../project/markdown.ts';
import type { Project } from '../project/read-project.ts';
import { editFile, readWorkFile, removeWorkFile, writeWorkFile } from '../project/work-files.ts';
import { fileLock, openProject, workspaceOf } from '../project/workspace.ts';
import { type TestOutcome, runTests } from '../testing/run-tests.ts';
import { applyMutant, findMutants, type Mutant } from './mutants.ts';
import { findSuspects } from './suspects.ts';

const failure = z.looseObject({ name: z.string(), file: z.string().optional(), message: z.string().optional() });
const repaired = z.object({
  path: z.string(),
  line: z.number(),
  rule: z.string(),
  before: z.string(),
  after: z.string(),
  tried: z.number(),
});

/** More than this is guessing: whoever knows what the code is for is quicker. */
const triesMax = 150;

/**
 * Reproduces failures that a later phase reported, and looks for the smallest change after which every test passes. This
 * is search, not understanding; an agent that talks to a language model would take this task's place.
 */
export const repairDefect = defineTask({
  type: 'repair-defect',
  input: z.object({ failures: z.array(failure), why: z.string() }),
  output: z.object({ repairs: z.array(repaired), reproduced: z.number() }),
  async run({ failures, why }, ctx) {
    await undoUnproved(workspaceOf(ctx));
    const project = await openProject(ctx);
    const files = [...new Set(failures.flatMap(({ file }) => file ?? []))];
    if (files.length === 0) throw new PermanentTaskError(`No failure names a test file that could be run again. ${why}`);
    const repairs: z.infer<typeof repaired>[] = [];
    let reproduced = 0;
    for (const [index, file] of files.entries()) {
      ctx.progress((index / files.length) * 100, `reproducing ${file}`);
      const { tests, durationMs } = await runTests(project, { files: [file], signal: ctx.signal });
      const failing = failed(tests);
      reproduced += failing.length;
      if (failing.length === 0) continue;
      const found = await searchRepair(project, file, {
        // A change may make a loop endless. Each file may take three times as long as this one, however busy the machine is.
        timeoutMs: 5_000 + 3 * durationMs * (1 + project.tests.files.length),
        signal: ctx.signal,
        lock: (path) => ctx.lock(fileLock(path)),
      });
      if (found === undefined)
        throw new PermanentTaskError(
          `No small change makes ${file} pass: ${failing.map(({ name }) => name).join('; ')}. Somebody has to look at it.`,
        );
      repairs.push(found);
      ctx.note({
        kind: 'decision',
        text: `${found.path}, line ${found.line}: ${found.before} became ${found.after === '' ? 'nothing' : found.after} (${found.rule}).`,
        rationale: `${failing.map(({ name }) => name).join('; ')} failed before and passes now, and so do all unit tests.`,
        references: [{ kind: 'file', value: found.path, line: found.line }],
      });
    }
    ctx.summary(
      repairs.length === 0
        ? 'The failures cannot be reproduced.'
        : repairs
            .map(({ path, line, rule, tried }) => `Mended ${path}, line ${line}: ${rule}, after ${count(tried, 'attempt')}.`)
            .join(' '),
    );
    return { repairs, reproduced };
  },
});

interface Limits {
  /** For all files of tests together. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

interface Search extends Limits {
  /** Only now is it known which file will change, so its lock is taken now and not declared with the task. */
  readonly lock: (path: string) => Promise<AsyncDisposable>;
}

async function searchRepair(
  project: Project,
  testFile: string,
  { lock, ...limits }: Search,
): Promise<z.infer<typeof repaired> | undefined> {
  const testText = await readFile(join(project.root, testFile), 'utf8');
  let tried = 0;
  for (const path of findSuspects(testText, project.modules, buildImportGraph(project.modules))) {
    await using _lock = await lock(path);
    const text = await readFile(join(project.root, path), 'utf8');
    for (const mutant of findMutants(path, text)) {
      tried += 1;
      if (tried > triesMax) return undefined;
      if (await holds(project, { testFile, mutant, text, limits })) {
        const { line, rule, before, after } = mutant;
        return { path, line, rule, before, after, tried };
      }
    }
  }
  return undefined;
}

/** Leaves the module changed where all tests pass with the change, else as it was. */
async function holds(
  project: Project,
  { testFile, mutant, text, limits }: { testFile: string; mutant: Mutant; text: string; limits: Limits },
): Promise<boolean> {
  const { root, tests } = project;
  await writeWorkFile(root, unproved, { path: mutant.path, text });
  await editFile(root, mutant.path, applyMutant(text, mutant));
  // The failing file first: most changes end there, and it is quicker than all tests.
  const passes = (await allPass(project, [testFile], limits)) && (await allPass(project, tests.files, limits));
  if (passes) await removeWorkFile(root, unproved);
  else await undoUnproved(root);
  return passes;
}

async function allPass(project: Project, files: readonly string[], limits: Limits): Promise<boolean> {
  try {
    return failed((await runTests(project, { files, ...limits })).tests).length === 0;
  } catch {
    limits.signal.throwIfAborted();
    // A runner that crashes or hangs says the same as a test that fails.
    return false;
  }
}

const unproved = 'unproved-repair.json';
const unprovedSchema = z.object({ path: z.string(), text: z.string() });

/** Takes back a change that was being tried; also one whose attempt was killed in the middle. */
async function undoUnproved(root: string): Promise<void> {
  const kept = await readWorkFile(root, unproved, unprovedSchema);
  if (kept !== undefined) await editFile(root, kept.path, kept.text);
  await removeWorkFile(root, unproved);
}

const failed = (tests: readonly TestOutcome[]): TestOutcome[] => tests.filter(({ outcome }) => outcome === 'failed');
