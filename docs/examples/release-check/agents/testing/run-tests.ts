import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import type { Project } from '../project/read-project.ts';
import { type ProgramResult, runProgram, tailOf } from '../project/run-program.ts';
import { runVitest } from './run-vitest.ts';

export interface TestOutcome {
  readonly name: string;
  readonly file: string | undefined;
  readonly line: number | undefined;
  readonly outcome: 'passed' | 'failed' | 'skipped' | 'todo';
  readonly message: string | undefined;
}

/** Of each file that was loaded: how often each of its lines ran. */
export type LineCounts = ReadonlyMap<string, ReadonlyMap<number, number>>;

export interface TestRun {
  readonly command: string;
  readonly tests: readonly TestOutcome[];
  /** Undefined where it was not asked for or cannot be measured. */
  readonly coverage: LineCounts | undefined;
  readonly durationMs: number;
  /** The end of what the runner printed. */
  readonly output: string;
}

export interface TestOptions {
  /** All of the project's unit tests unless given. */
  readonly files?: readonly string[];
  readonly withCoverage?: boolean;
  /** For one file of tests. */
  readonly timeoutMs?: number;
  readonly signal: AbortSignal;
}

/** Runs tests of a project with its own runner. Failing tests are a result; a runner that cannot run throws. */
export function runTests(project: Project, options: TestOptions): Promise<TestRun> {
  switch (project.tests.framework) {
    case 'node':
    case 'none':
      return runNodeTests(project, options);
    case 'vitest':
      return runVitest(project, options);
    case 'other':
      return runTestScript(project, options);
  }
}

const reportedLine = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('test'),
    name: z.string(),
    file: z.string().optional(),
    line: z.number().optional(),
    outcome: z.enum(['passed', 'failed', 'skipped', 'todo']),
    message: z.string().optional(),
  }),
  z.object({
    kind: z.literal('coverage'),
    files: z.array(z.object({ path: z.string(), lines: z.array(z.tuple([z.number(), z.number()])) })),
  }),
]);

async function runNodeTests(
  { root, tests }: Project,
  { files = tests.files, withCoverage = false, timeoutMs, signal }: TestOptions,
): Promise<TestRun> {
  // Without a file the runner would look for some itself.
  if (files.length === 0)
    return { command: 'node --test', tests: [], coverage: withCoverage ? new Map() : undefined, durationMs: 0, output: '' };
  const reporter = join(import.meta.dirname, 'json-reporter.mjs');
  const options = [...tests.nodeOptions, '--test', ...(withCoverage ? ['--experimental-test-coverage'] : [])];
  // The runner's own time-out also ends what it has started, for each file.
  const limits = [`--test-concurrency=${availableParallelism()}`, ...(timeoutMs === undefined ? [] : [`--test-timeout=${timeoutMs}`])];
  const command = [process.execPath, ...options, ...limits, `--test-reporter=${reporter}`, ...files];
  const result = await runProgram(command, { cwd: root, signal });
  const reported = result.stdout.split('\n').flatMap((line) => (line.startsWith('{') ? [reportedLine.parse(JSON.parse(line))] : []));
  const outcomes = reported.flatMap((line) =>
    line.kind === 'test' ? [{ ...line, file: line.file, line: line.line, message: line.message }] : [],
  );
  if (outcomes.length === 0)
    throw new Error(
      `node --test ended with ${result.exitCode ?? 'a signal'} and reported no test: ${tailOf(result.stderr || result.stdout)}`,
    );
  const measured = reported.flatMap((line) => (line.kind === 'coverage' ? line.files : []));
  return {
    command: `node ${[...options, ...files].join(' ')}`,
    tests: outcomes,
    coverage: withCoverage ? new Map(measured.map(({ path, lines }) => [path, new Map(lines)])) : undefined,
    durationMs: result.durationMs,
    output: outcomes.map(({ outcome, name, message }) => `${outcome} ${name}${message === undefined ? '' : `: ${message}`}`).join('\n'),
  };
}

/** A runner that is not known says one thing only: whether all went well. */
async function runTestScript({ root }: Project, { timeoutMs, signal }: TestOptions): Promise<TestRun> {
  const result: ProgramResult = await runProgram(['npm', 'test', '--silent'], {
    cwd: root,
    signal,
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  });
  const hasPassed = result.exitCode === 0;
  const message = hasPassed ? undefined : tailOf(result.stderr || result.stdout);
  return {
    command: 'npm test',
    tests: [{ name: 'npm test', file: undefined, line: undefined, outcome: hasPassed ? 'passed' : 'failed', message }],
    coverage: undefined,
    durationMs: result.durationMs,
    output: tailOf(result.stdout),
  };
}
