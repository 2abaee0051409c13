import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

interface Check {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
}

const root = join(import.meta.dirname, '..');

const checks: readonly Check[] = [
  { name: 'format', command: 'oxfmt', args: ['--check', '.'] },
  { name: 'lint', command: 'oxlint', args: ['--type-aware', '--deny-warnings', '.'] },
  { name: 'types', command: 'tsc', args: ['--noEmit', '-p', 'tsconfig.json'] },
  { name: 'unused code', command: 'knip', args: [] },
  { name: 'generated files', command: process.execPath, args: ['--conditions=source', join(root, 'scripts', 'generate.ts'), '--check'] },
];

interface Outcome {
  readonly name: string;
  readonly passed: boolean;
  readonly seconds: string;
  readonly output: string;
}

// One after the other: each of them uses all cores by itself.
const outcomes: Outcome[] = [];
for (const check of checks) {
  const outcome = await run(check);
  outcomes.push(outcome);
  console.log(`${outcome.passed ? 'ok  ' : 'FAIL'} ${outcome.name} (${outcome.seconds} s)`);
  if (!outcome.passed) console.log(outcome.output.trimEnd());
}

const failed = outcomes.filter(({ passed }) => !passed).map(({ name }) => name);
console.log(failed.length === 0 ? `All ${outcomes.length} checks passed.` : `Failed: ${failed.join(', ')}.`);
process.exitCode = failed.length === 0 ? 0 : 1;

async function run({ name, command, args }: Check): Promise<Outcome> {
  const start = performance.now();
  const child = spawn(command, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = once(child, 'close').then(
    ([code]) => ({ code: code as number | null, problem: '' }),
    (error: unknown) => ({ code: 1, problem: String(error) }),
  );
  const [out, err, { code, problem }] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { name, passed: code === 0, seconds: ((performance.now() - start) / 1000).toFixed(1), output: `${out}${err}${problem}` };
}
