/**
 * Runs the plan on the library beside it, and then checks from the report that all of it happened. `--keep` leaves the
 * data folder where it is.
 */
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { checkStory, reportSchema } from './check-story.ts';

const values = readOptions();
const dataDir = await mkdtemp(join(tmpdir(), 'baton-demo-'));
const reportFile = join(dataDir, 'report.json');

const exitCode = await runPlan();
const failed = exitCode === 0 ? await printChecks() : exitCode;
if (failed === 0 && !values.keep) await rm(dataDir, { recursive: true, force: true });
else console.log(`\nThe data folder is left for you: ${dataDir}`);
process.exitCode = failed;

function readOptions(): { readonly keep: boolean } {
  try {
    return parseArgs({ options: { keep: { type: 'boolean', default: false } } }).values;
  } catch (error) {
    console.error(
      `${error instanceof Error ? error.message : String(error)}. The demo knows --keep; your own library goes to \`baton run … --project DIR\`.`,
    );
    process.exit(2);
  }
}

/** As a user would call it, in a process of its own. Ends with the exit code of `baton run`. */
function runPlan(): Promise<number> {
  const main = join(import.meta.dirname, '../../../coordinator/src/main.ts');
  const args = ['run', join(import.meta.dirname, 'plan.yaml'), '--data', dataDir, '--report', reportFile];
  // The demo brings its own store and coordinator, whatever the shell is set up to use.
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => name !== 'DATABASE_URL' && !name.startsWith('BATON_')));
  const child = spawn(process.execPath, ['--conditions=source', main, ...args], { stdio: 'inherit', env });
  // Ctrl-C reaches the child as well; it stops its agents and then ends, and so do we.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => resolve(code ?? 1));
  });
}

/** 0 where everything the story promises is in the report. */
async function printChecks(): Promise<number> {
  const report = reportSchema.safeParse(JSON.parse(await readFile(reportFile, 'utf8')));
  if (!report.success) {
    console.log(`\nThe report is not as expected: ${z.prettifyError(report.error)}`);
    return 1;
  }
  console.log('\nWhat this run has shown:');
  const checks = await checkStory(report.data);
  for (const { promise, evidence } of checks)
    console.log(`  ${evidence === undefined ? '✗' : '✓'} ${promise}${evidence === undefined ? ': NOT SEEN' : `: ${evidence}`}`);
  return checks.every(({ evidence }) => evidence !== undefined) ? 0 : 1;
}
