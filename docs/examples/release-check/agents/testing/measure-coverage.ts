import { defineTask, type TaskContext } from '@baton/sdk';
import { createTwoFilesPatch, diffLines } from 'diff';
import { z } from 'zod';
import { count } from '../project/markdown.ts';
import type { Project } from '../project/read-project.ts';
import { type Change, listChanges, writeWorkFile } from '../project/work-files.ts';
import { openProject } from '../project/workspace.ts';
import { measureCoverage as toCoverage } from './coverage.ts';
import { runTests } from './run-tests.ts';

export const coverageFile = 'coverage.json';

/** Runs the unit tests with coverage, and hands in what was measured and what has been changed so far. */
export const measureCoverage = defineTask({
  type: 'measure-coverage',
  output: z.object({ percentage: z.number().nullable(), testsFailed: z.number() }),
  async run(_input, ctx) {
    const project = await openProject(ctx);
    await submitChanges(project, ctx);
    ctx.progress(10, `running ${count(project.tests.files.length, 'test file')}`);
    const { tests, coverage: counts, command } = await runTests(project, { withCoverage: true, signal: ctx.signal });
    const testsFailed = tests.filter(({ outcome }) => outcome === 'failed').length;
    if (counts === undefined) {
      const why = project.tests.unmeasurable ?? 'the runner reported none';
      // The gate asks for a number. There is none, so it refuses, and this says why.
      ctx.artifact({ type: 'test_coverage', content: { percentage: null, testsFailed, command, why } });
      ctx.note({ kind: 'risk', text: `Line coverage was not measured: ${why}.` });
      ctx.summary(`${count(tests.length, 'test')}, ${testsFailed} failed. Skipped measuring coverage: ${why}.`);
      return { percentage: null, testsFailed };
    }
    const coverage = toCoverage(project.root, project.modules, counts);
    await writeWorkFile(project.root, coverageFile, coverage);
    ctx.artifact({ type: 'test_coverage', content: { ...coverage, testsFailed, command } });
    const unloaded = coverage.files.filter(({ isLoaded }) => !isLoaded).length;
    const why = `${coverage.covered} of ${count(coverage.lines, 'line')} run by ${count(tests.length, 'test')}, ${count(unloaded, 'module')} that no test loads`;
    ctx.note({ kind: 'number', text: `Line coverage is ${coverage.percentage} %: ${why}.`, data: { percentage: coverage.percentage } });
    ctx.summary(`Coverage ${coverage.percentage} %: ${why}; ${testsFailed} failed.`);
    return { percentage: coverage.percentage, testsFailed };
  },
});

/** Larger patches are left out: what they change is listed all the same. */
const patchCharactersMax = 200_000;

async function submitChanges({ root, tests }: Project, ctx: TaskContext): Promise<void> {
  const changes = await listChanges(root);
  const changed = changes.map(({ path }) => path);
  const isTest = (path: string) => tests.files.includes(path) || tests.acceptanceFiles.includes(path);
  ctx.artifact({ type: 'code_changes', content: { files: changed, tests: changed.filter(isTest), diffstat: changes.map(countLines) } });
  const patch = changes.map(toPatch).join('');
  if (patch !== '' && patch.length <= patchCharactersMax) ctx.artifact({ type: 'patch', mediaType: 'text/x-diff', content: patch });
}

const countLines = ({ path, before, after }: Change) => {
  const parts = diffLines(before, after);
  const total = (wanted: 'added' | 'removed') => parts.reduce((sum, part) => sum + (part[wanted] ? part.count : 0), 0);
  return { path, added: total('added'), removed: total('removed') };
};

/** As git writes it, so that `git apply` reads it. */
const toPatch = ({ path, before, after, isNew }: Change): string =>
  createTwoFilesPatch(isNew ? '/dev/null' : `a/${path}`, `b/${path}`, before, after);
