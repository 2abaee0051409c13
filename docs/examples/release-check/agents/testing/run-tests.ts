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
  /** For all files together. A run that takes longer throws. */
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
  // With a time-out all files run in one process: a process for each would outlive a runner that has to be killed.
  const isolation = timeoutMs === undefined ? `--test-concurrency=${availableParallelism()}` : '--test-isolation=none';
  const command = [process.execPath, ...options, isolation, `--test-reporter=${reporter}`, ...files];
  const limits = timeoutMs === undefined ? {} : { timeoutMs, killSignal: 'SIGKILL' as const };
  const result = await runProgram(command, { cwd: root, signal, ...limits });
  if (result.exitCode === undefined) throw new Error('node --test was ended by a signal, so that its result is not whole.');
  const reported = result.stdout.split('\n').flatMap((line) => (line.startsWith('{') ? [reportedLine.parse(JSON.parse(line))] : []));
  const outcomes = reported.flatMap((line): TestOutcome[] =>
    line.kind === 'test' ? [{ ...line, file: line.file, line: line.line, message: line.message }] : [],
  );
  // Such as a file that cannot be loaded, or a threshold that the project has set for itself.
  const hasUntoldFailure = result.exitCode !== 0 && !outcomes.some(({ outcome }) => outcome === 'failed');
  const untold = { name: 'node --test', file: undefined, line: undefined, outcome: 'failed', message: tailOf(result.stderr) } as const;
  const measured = reported.flatMap((line) => (line.kind === 'coverage' ? line.files : []));
  return {
    command: `node ${[...options, ...files].join(' ')}`,
    tests: hasUntoldFailure ? [...outcomes, untold] : outcomes,
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
