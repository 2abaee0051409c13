import '../support/leaks.ts';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, onTestFinished, test } from 'vitest';
import { createTestState } from '../support/database.ts';
import { spawnBaton } from '../support/process.ts';

const example = join(import.meta.dirname, '../../docs/examples/release-check');
const plan = join(example, 'plan.yaml');

async function createFolder(files: Readonly<Record<string, string>>): Promise<string> {
  // A name that is hard on whatever builds commands or URLs of it.
  const folder = await mkdtemp(join(tmpdir(), 'baton release check '));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), content);
  }
  return folder;
}

/** As `--report` writes it, as far as it is read here. */
interface Report {
  readonly outcome: string;
  readonly reason?: string;
  readonly tasks: { readonly list: readonly { readonly type: string; readonly summary?: string; readonly error?: string }[] };
  readonly gates: readonly { readonly reasons: readonly { readonly message: string }[] }[];
}

async function checkProject(files: Readonly<Record<string, string>>) {
  const project = await createFolder(files);
  await using state = await createTestState();
  const reportFile = join(state.path, 'report.json');
  const { code, stdout, stderr } = await spawnBaton(['run', plan, '--project', project, ...state.options, '--report', reportFile]);
  const report = JSON.parse(await readFile(reportFile, 'utf8').catch(() => '{}')) as Report;
  return { project, code, output: stdout + stderr, report };
}

/** With all that was printed where it is another code: the number alone would help nobody. */
function expectExit({ code, output }: { readonly code: unknown; readonly output: string }, expected: number): void {
  if (code !== expected) throw new Error(`It ended with ${String(code)} instead of ${expected}:\n${output}`);
}

test('the demo shows everything that it promises', { timeout: 180_000 }, async () => {
  const child = spawn(process.execPath, ['--conditions=source', join(example, 'demo.ts')], { stdio: ['ignore', 'pipe', 'pipe'] });

  const [[code], stdout, stderr] = await Promise.all([once(child, 'close'), text(child.stdout), text(child.stderr)]);

  expectExit({ code, output: stdout + stderr }, 0);
  const [, shown = ''] = stdout.split('What this run has shown:');
  expect(shown.match(/^ {2}✓ /gm)).toHaveLength(8);
});

test('a project without tests gets those that its documents hold, and is left as it was', { timeout: 180_000 }, async () => {
  const source = 'export function double(x) {\n  return x * 2;\n}\n';

  const { project, code, output, report } = await checkProject({
    'package.json': JSON.stringify({ name: 'plain', version: '1.0.0', license: 'MIT', type: 'module', exports: './src/index.js' }),
    'src/index.js': source,
    'README.md': '# plain\n\n### `double(x)`\n\nTwice as much.\n\n```js\ndouble(2); // => 4\n```\n',
  });

  expectExit({ code, output }, 0);
  expect(report.outcome).toBe('done');
  expect(report.tasks.list.find(({ type }) => type === 'run-acceptance')?.summary).toContain(
    'skipped: the project has no acceptance tests',
  );
  expect(await readFile(join(project, 'src/index.js'), 'utf8')).toBe(source);
});

test('a project whose coverage cannot be measured is not fit for release', { timeout: 180_000 }, async () => {
  const { code, output, report } = await checkProject({
    'package.json': JSON.stringify({
      name: 'scripted',
      version: '1.0.0',
      license: 'MIT',
      main: 'lib/index.js',
      scripts: { test: 'node check.js' },
    }),
    'lib/index.js': 'module.exports = (x) => x * 2;\n',
    'check.js': "if (require('./lib')(2) !== 4) process.exit(1);\n",
  });

  expectExit({ code, output }, 1);
  expect(report.outcome).toBe('blocked');
  expect(
    report.gates
      .flatMap(({ reasons }) => reasons)
      .map(({ message }) => message)
      .join('\n'),
  ).toContain('percentage is null, wanted >= 80');
  expect(report.tasks.list.find(({ type }) => type === 'measure-coverage')?.summary).toContain(
    'the test script "node check.js" is neither node --test nor vitest',
  );
});
