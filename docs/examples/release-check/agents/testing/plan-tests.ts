import { defineTask, PermanentTaskError } from '@baton/sdk';
import { z } from 'zod';
import { readDocumentation } from '../project/documentation.ts';
import { count } from '../project/markdown.ts';
import { readWorkFile } from '../project/work-files.ts';
import { fileLock, type NewTask, openProject, refFor, spawnOnce, treeLock } from '../project/workspace.ts';
import { coverageSchema } from './coverage.ts';
import { coverageFile } from './measure-coverage.ts';

/** Chooses the modules that need tests most, has tests written for each of them, and measures again. */
export const planTests = defineTask({
  type: 'plan-tests',
  input: z.object({ coverageMin: z.number(), reasons: z.unknown() }),
  output: z.object({ modules: z.array(z.string()) }),
  async run({ coverageMin }, ctx) {
    const project = await openProject(ctx);
    const coverage = await readWorkFile(project.root, coverageFile, coverageSchema);
    const { framework, unmeasurable } = project.tests;
    if (coverage === undefined)
      throw new PermanentTaskError(
        `Nothing tells which modules need tests, because coverage was not measured: ${unmeasurable ?? 'no test run has ended yet'}.`,
      );
    if (framework === 'other')
      throw new PermanentTaskError('Tests can be written for node --test and for vitest, and the project uses neither.');

    const weak = coverage.files
      .filter(({ percentage }) => percentage < coverageMin)
      .toSorted((a, b) => b.lines - b.covered - (a.lines - a.covered));
    const documentation = await readDocumentation(
      project.root,
      new Set(project.modules.flatMap(({ exports }) => exports.map(({ name }) => name))),
    );
    const hasExamples = (path: string) =>
      project.modules
        .find((module) => module.path === path)
        ?.exports.some(({ name }) => documentation.some((promised) => promised.name === name && promised.examples.length > 0)) ?? false;
    const modules = weak.map(({ path }) => path).filter((path) => hasExamples(path) && !project.tests.files.includes(testFileOf(path)));
    if (modules.length === 0) {
      throw new PermanentTaskError(
        `Coverage is ${coverage.percentage} %, and the documents have no example of ${weak.map(({ path }) => path).join(', ')} that could become a test.`,
      );
    }
    // Another round in the same visit needs references of its own.
    const prefix = `tests/${ctx.taskId.slice(-6)}`;
    await spawnOnce(ctx, [
      ...modules.map((path): NewTask => ({
        ref: refFor(prefix, path),
        type: 'write-tests',
        title: `Write tests for ${path}`,
        input: { path, testFile: testFileOf(path) },
        locks: [{ key: fileLock(testFileOf(path)) }, { key: treeLock, mode: 'shared' }],
      })),
      {
        type: 'measure-coverage',
        title: 'Run the tests with coverage again',
        dependsOn: modules.map((path) => refFor(prefix, path)),
        // Whatever could be written counts.
        onDependencyFailure: 'run',
        locks: [{ key: treeLock }],
        priority: 'HIGH',
      },
    ]);
    ctx.summary(`Coverage is ${coverage.percentage} %: tests for ${count(modules.length, 'module')}, the least covered first.`);
    return { modules };
  },
});

/** `src/a/b.ts` is tested by `test/a/b.examples.test.ts`. */
const testFileOf = (path: string): string => `test/${path.replace(/^(src|lib)\//, '').replace(/\.([mc]?[jt]s)x?$/, '.examples.test.$1')}`;
