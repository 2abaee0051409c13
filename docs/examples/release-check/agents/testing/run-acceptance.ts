import { defineTask } from '@baton/sdk';
import { isAbsolute, relative } from 'node:path';
import { z } from 'zod';
import { count } from '../project/markdown.ts';
import { tailOf } from '../project/run-program.ts';
import { openProject } from '../project/workspace.ts';
import { runTests, type TestOutcome } from './run-tests.ts';

const failures = z.array(z.object({ name: z.string(), file: z.string().exactOptional(), message: z.string().exactOptional() }));

/** Runs the acceptance tests, or all tests of a project that has none, and hands in results and evidence. Failing tests are a result. */
export const runAcceptance = defineTask({
  type: 'run-acceptance',
  output: z.object({ total: z.number(), passed: z.number(), failed: z.number(), failures }),
  async run(_input, ctx) {
    const project = await openProject(ctx);
    const { acceptanceFiles, framework } = project.tests;
    const hasOwn = acceptanceFiles.length > 0 && framework !== 'other';
    const skipped = hasOwn
      ? undefined
      : 'the project has no acceptance tests that can be run by themselves; its unit tests were run instead';
    ctx.progress(10, hasOwn ? `running ${count(acceptanceFiles.length, 'acceptance file')}` : 'running all tests');
    const run = await runTests(project, { ...(hasOwn ? { files: acceptanceFiles } : {}), signal: ctx.signal });
    const total = run.tests.length;
    const failed = run.tests.filter(({ outcome }) => outcome === 'failed').map((test) => describeFailure(project.root, test));
    const results = {
      total,
      passed: run.tests.filter(({ outcome }) => outcome === 'passed').length,
      failed: failed.length,
      failures: failed,
    };
    ctx.artifact({ type: 'test_results', content: { ...results, ...(skipped === undefined ? {} : { skipped }) } });
    ctx.artifact({
      type: 'test_evidence',
      content: { command: run.command, durationMs: run.durationMs, output: tailOf(run.output, 8_000) },
    });
    for (const { name, file } of failed)
      ctx.note({ kind: 'risk', text: `Fails: ${name}`, references: file === undefined ? [] : [{ kind: 'file', value: file }] });
    if (skipped !== undefined) ctx.note({ kind: 'fact', text: `Acceptance tests skipped: ${skipped}.` });
    ctx.summary(
      `${results.passed} of ${count(total, 'test')} passed${failed.length === 0 ? '' : `; ${failed.map(({ name }) => name).join('; ')} failed`}${skipped === undefined ? '' : ` (skipped: ${skipped})`}.`,
    );
    return results;
  },
});

function describeFailure(root: string, { name, file, message }: TestOutcome): z.infer<typeof failures>[number] {
  const path = file === undefined ? undefined : (isAbsolute(file) ? relative(root, file) : file).replaceAll('\\', '/');
  return { name, ...(path === undefined ? {} : { file: path }), ...(message === undefined ? {} : { message: tailOf(message) }) };
}
