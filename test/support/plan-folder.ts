import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { type RunReport, runReport } from '../../coordinator/src/cli/run/report.ts';
import { createTestDataFolder, createTestFolder, createTestState } from './database.ts';
import { eventually, patienceMs } from './eventually.ts';
import { isRunning } from './is-running.ts';

const team = join(import.meta.dirname, 'fixtures', 'run-team');

/** Two agents that write and check files, for the plans of tests. */
export const agents = { writer: { module: join(team, 'writer.ts') }, checker: { module: join(team, 'checker.ts') } };

/** What has to be there for `baton run`: a project, a plan, and a data folder. */
export interface PlanFolder extends AsyncDisposable {
  readonly path: string;
  readonly dataDir: string;
  /** Writes a plan, as JSON, which is YAML too. Its phases are those of IMPLEMENTATION and TESTING; the others ask for nothing. */
  writePlan(phases: Readonly<Record<string, object>>, given?: object): Promise<string>;
  /** The arguments of `baton` that run a plan here and write the report. */
  runArguments(plan: string, ...more: readonly string[]): readonly string[];
  readReport(): Promise<RunReport>;
  /** What the writer has noted in the workspace of the first run. */
  readJournal(): Promise<readonly string[]>;
  /** The process of the agent that has begun to write this file. */
  writerOf(file: string): Promise<number>;
}

/** Where a run keeps its state: migrated already, which is half of what a run costs; or nowhere yet. */
type PlanStore = 'postgresql' | 'embedded' | 'none';

export async function createPlanFolder({ store = 'postgresql' }: { readonly store?: PlanStore } = {}): Promise<PlanFolder> {
  const folder = await createTestFolder('run');
  const state = store === 'postgresql' ? await createTestState() : undefined;
  const data = store === 'embedded' ? await createTestDataFolder() : state;
  const { path } = folder;
  const dataDir = data?.path ?? join(path, 'data');
  const options = state?.options ?? ['--data', dataDir];
  await mkdir(join(path, 'project'));
  await writeFile(join(path, 'project', 'README'), 'A project.');
  const report = join(path, 'report.json');

  const readJournal = async () => {
    const runs = await readdir(join(dataDir, 'runs'), { withFileTypes: true });
    const run = runs.find((entry) => entry.isDirectory());
    if (run === undefined) throw new Error('There is no run.');
    return (await readFile(join(dataDir, 'runs', run.name, 'workspace', 'journal'), 'utf8')).trim().split('\n');
  };
  return {
    path,
    dataDir,
    async writePlan(phases, given = {}) {
      const free = { REQUIREMENTS: { gate: {} }, IMPLEMENTATION: { gate: {} }, TESTING: { gate: {} } };
      const usual = { name: 'sample', workspace: { copy: 'project' }, agents, ticket: { title: 'A change' } };
      const file = join(path, 'plan.yaml');
      await writeFile(file, JSON.stringify({ ...usual, ...given, phases: { ...free, ...phases } }, undefined, 2));
      return file;
    },
    runArguments: (plan, ...more) => ['run', plan, ...options, '--report', report, ...more],
    readReport: async () => runReport.parse(JSON.parse(await readFile(report, 'utf8'))),
    readJournal,
    writerOf: (file) =>
      eventually(async () => {
        const [, pid] = new RegExp(`^begin ${file} (\\d+)$`, 'm').exec((await readJournal()).join('\n')) ?? [];
        if (pid === undefined) throw new Error(`Nobody has begun to write ${file}.`);
        return Number(pid);
      }),
    async [Symbol.asyncDispose]() {
      await folder.remove();
      await data?.remove();
    },
  };
}

export const expectGone = (pid: number) => expect.poll(() => isRunning(pid), { timeout: patienceMs }).toBe(false);
