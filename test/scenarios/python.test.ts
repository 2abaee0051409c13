import '../support/leaks.ts';
import { spawn } from 'node:child_process';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { beforeEach, expect, test, vi } from 'vitest';
import { runReport } from '../../coordinator/src/cli/run/report.ts';
import { createTestFolder, createTestState } from '../support/database.ts';
import { findPython, noPython } from '../support/python.ts';
import { spawnBaton, spawnDaemon } from '../support/process.ts';

// Each test runs several processes, and the machine may have others to run.
vi.setConfig({ testTimeout: 180_000 });

const root = join(import.meta.dirname, '..', '..');
const python = findPython() ?? '';

beforeEach(({ skip }) => {
  if (python === '') skip(noPython);
});

test('the Python client does what its own tests promise, against a running coordinator', async () => {
  await using state = await createTestState();
  // The tests hold sessions that do not beat.
  await using daemon = await spawnDaemon(state.options, { env: { BATON_LEASE_MS: '60000' } });
  const env = { ...process.env, BATON_URL: daemon.ready.url, BATON_TOKEN_FILE: daemon.ready.tokenFile, PYTHONDONTWRITEBYTECODE: '1' };

  const tests = spawn(python, ['-m', 'unittest'], { cwd: join(root, 'sdk', 'python'), env, stdio: ['ignore', 'ignore', 'pipe'] });

  expect(await text(tests.stderr)).toMatch(/\nRan [1-9]\d+ tests in .*\n\nOK\n$/);
});

test('the agent of the guide does what the guide says', async () => {
  const guide = await readFile(join(root, 'docs', 'guide', 'python.md'), 'utf8');
  const [, script = ''] = /```python\n(# agents.*?)```/s.exec(guide) ?? [];
  await using folder = await createTestFolder('python');
  await using state = await createTestState();
  await writeFile(join(folder.path, 'counter.py'), script);
  const task = { type: 'count-words', input: { text: 'three short words' } };
  const agent = {
    process: [python, './counter.py'],
    capabilities: ['python', 'count-words'],
    env: { PYTHONPATH: join(root, 'sdk', 'python'), PYTHONDONTWRITEBYTECODE: '1' },
  };
  const criterion = { artifact: 'word_count', path: 'words', op: '==', value: 3 };
  const plan = {
    name: 'guide',
    agents: { counter: agent },
    ticket: { title: 'Count' },
    phases: {
      REQUIREMENTS: { gate: {} },
      IMPLEMENTATION: { tasks: [task], gate: { artifacts: ['word_count'], criteria: [criterion] } },
      TESTING: { gate: {} },
    },
  };
  await writeFile(join(folder.path, 'plan.yaml'), JSON.stringify(plan));

  const { code, stdout, stderr } = await spawnBaton(['run', join(folder.path, 'plan.yaml'), ...state.options]);

  expect({ code, stderr, stdout }).toMatchObject({ code: 0, stderr: '' });
  expect(stdout).toContain('The text has 3 words.');
});

test('a Python agent and a TypeScript agent hand results to each other within one plan', async () => {
  const plan = join(root, 'docs', 'examples', 'python-agent', 'plan.yaml');
  await using state = await createTestState();
  const report = join(state.path, 'report.json');
  // The plan says `python3`, and the right one need not be the first.
  const env = { PATH: `${dirname(python)}${delimiter}${process.env['PATH'] ?? ''}`, PYTHONDONTWRITEBYTECODE: '1' };

  const { code, stdout, stderr } = await spawnBaton(['run', plan, ...state.options, '--report', report], { env });

  expect({ code, stderr, stdout }).toMatchObject({ code: 0, stderr: '' });
  const { outcome, tasks, artifacts, agents } = runReport.parse(JSON.parse(await readFile(report, 'utf8')));
  expect(outcome).toBe('done');
  expect(tasks.list.map(({ title, attempts }) => `${title}: ${attempts.map(({ agent }) => agent).join()}`)).toEqual([
    'Read the tables: reader',
    'Find what cannot be right: analyst',
    'Write the report: reader',
    'Check the report against the files: analyst',
  ]);
  expect(artifacts.map(({ type, author }) => `${type} by ${author}`)).toEqual([
    'findings by analyst',
    'report by reader',
    'report_check by analyst',
  ]);
  expect(agents).toEqual([
    { name: 'reader', restarts: 0 },
    { name: 'analyst', restarts: 0 },
  ]);
  const [run = ''] = await readdir(join(state.path, 'runs')).then((names) => names.filter((name) => !name.endsWith('.json')));
  const written = await readFile(join(state.path, 'runs', run, 'workspace', 'report.md'), 'utf8');
  expect(written.match(/^- .*$/gm)).toEqual([
    '- 2026-03-02T09:00:00Z: 38.4 °C',
    '- 2026-03-05T03:00:00Z: -9.8 °C',
    '- 2026-03-04T15:00:00Z: 17.9 °C',
  ]);
});
