import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { Project } from '../project/read-project.ts';
import { runProgram, tailOf } from '../project/run-program.ts';
import { findVitest } from '../project/test-setup.ts';
import { workFolder } from '../project/work-files.ts';
import type { LineCounts, TestOptions, TestRun } from './run-tests.ts';

const report = z.object({
  testResults: z.array(
    z.object({
      name: z.string(),
      message: z.string().optional(),
      assertionResults: z.array(
        z.object({
          fullName: z.string(),
          status: z.string(),
          failureMessages: z.array(z.string()).nullish(),
          location: z.object({ line: z.number() }).nullish(),
        }),
      ),
    }),
  ),
});

/** Runs the vitest that the project installed. Throws where there is none, or where it reports nothing. */
export async function runVitest(
  { root, tests }: Project,
  { files = tests.files, withCoverage = false, timeoutMs, signal }: TestOptions,
): Promise<TestRun> {
  const program = await findVitest(root);
  if (program === undefined) throw new Error(`The tests need vitest, and no node_modules at or above ${root} has it.`);
  const folder = workFolder(root);
  await mkdir(folder, { recursive: true });
  const outputFile = join(folder, 'vitest.json');
  const coverage =
    withCoverage && tests.unmeasurable === undefined
      ? ['--coverage.enabled', '--coverage.reporter=lcovonly', `--coverage.reportsDirectory=${folder}`]
      : [];
  const options = ['run', ...coverage, ...files];
  const result = await runProgram([process.execPath, program, ...options, '--reporter=json', `--outputFile=${outputFile}`], {
    cwd: root,
    signal,
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  });
  const { testResults } = report.parse(JSON.parse(await readFile(outputFile, 'utf8')));
  return {
    command: `vitest ${options.join(' ')}`,
    tests: testResults.flatMap(({ name: file, message, assertionResults }) => {
      // A file that cannot be loaded has no tests of its own, only a message.
      if (assertionResults.length === 0) return [{ name: file, file, line: undefined, outcome: 'failed' as const, message }];
      return assertionResults.map(({ fullName, status, failureMessages, location }) => ({
        name: fullName,
        file,
        line: location?.line,
        outcome: outcomes[status] ?? ('skipped' as const),
        message: failureMessages?.[0]?.split('\n    at ')[0],
      }));
    }),
    coverage: coverage.length === 0 ? undefined : parseLcov(await readFile(join(folder, 'lcov.info'), 'utf8')),
    durationMs: result.durationMs,
    output: tailOf(result.stderr || result.stdout),
  };
}

const outcomes: Readonly<Record<string, 'passed' | 'failed' | 'todo'>> = { passed: 'passed', failed: 'failed', todo: 'todo' };

function parseLcov(text: string): LineCounts {
  const files = new Map<string, Map<number, number>>();
  let lines = new Map<number, number>();
  for (const line of text.split('\n')) {
    const [, path] = /^SF:(.+)$/.exec(line) ?? [];
    if (path !== undefined) files.set(path, (lines = new Map()));
    const [, number, count] = /^DA:(\d+),(\d+)/.exec(line) ?? [];
    if (number !== undefined) lines.set(Number(number), Number(count));
  }
  return files;
}
