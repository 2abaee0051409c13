import '../support/leaks.ts';
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runReport } from '../../coordinator/src/cli/run/report.ts';
import { agents, createPlanFolder } from '../support/plan-folder.ts';
import { spawnBaton, startBaton } from '../support/process.ts';

test('a plan is carried out to DONE, and the report tells how', async () => {
  await using place = await createPlanFolder({ store: 'embedded' });
  const plan = await place.writePlan(
    {
      IMPLEMENTATION: {
        tasks: [
          {
            ref: 'a',
            type: 'write-file',
            title: 'Write a',
            input: { file: 'a', text: 'two words', takesMs: 300 },
            locks: [{ key: 'file:shared' }],
          },
          { ref: 'b', type: 'write-file', title: 'Write b', input: { file: 'b', takesMs: 300 }, locks: [{ key: 'file:shared' }] },
        ],
        gate: { artifacts: ['code_changes'] },
      },
      TESTING: {
        tasks: [
          { type: 'check-file', title: 'Check a', input: { file: '{{ phases.IMPLEMENTATION.tasks.a.output.file }}', failures: 1 } },
          { type: 'count-words', title: 'Count' },
        ],
        gate: { artifacts: ['check', 'count'], criteria: [{ artifact: 'count', path: 'words', op: '==', value: 2 }] },
      },
    },
    {
      agents: {
        ...agents,
        counter: {
          command: [
            'node',
            '-e',
            'console.log(JSON.stringify({ output: { words: 2 }, artifacts: [{ type: "count", content: { words: 2 } }] }))',
          ],
          capabilities: ['count-words'],
        },
      },
    },
  );

  const { code, stdout, stderr } = await spawnBaton(place.runArguments(plan));

  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toContain('BACKLOG → REQUIREMENTS');
  expect(stdout).toContain('DEPLOYMENT → DONE');
  const report = await place.readReport();
  expect(report).toMatchObject({ outcome: 'done', ticket: { title: 'A change', phase: 'DONE', state: 'closed' }, context: { items: 2 } });
  expect(report.phases.map(({ phase }) => phase)).toEqual([
    'BACKLOG',
    'REQUIREMENTS',
    'DESIGN',
    'IMPLEMENTATION',
    'TESTING',
    'DEPLOYMENT',
    'DONE',
  ]);
  expect(report.tasks).toMatchObject({ total: 4, byState: { completed: 4 }, attempts: 5, retries: 1 });
  expect(report.tasks.list.find(({ title }) => title === 'Check a')?.attempts).toMatchObject([
    { outcome: 'failed', error: 'Attempt 1 was not lucky.' },
    { outcome: 'completed' },
  ]);
  expect(report.gates.filter(({ phase }) => phase === 'TESTING')).toMatchObject([{ outcome: 'passed', reasons: [] }]);
  expect(report.artifacts.map(({ type, name, author }) => `${type} ${name} by ${author}`).sort()).toEqual([
    'check a by checker',
    'code_changes a by writer',
    'code_changes b by writer',
    'count default by counter',
  ]);
  expect(report.locks.waits).toMatchObject([{ key: 'file:shared' }]);
  expect(await readdir(join(place.path, 'project'))).toEqual(['README']);
});

test('a gate of a plan waits for an approval, says how to give it, and goes on when it is given', async () => {
  await using place = await createPlanFolder();
  const plan = await place.writePlan({
    IMPLEMENTATION: {
      tasks: [{ type: 'write-file', title: 'Write a', input: { file: 'a' } }],
      gate: { artifacts: ['code_changes'], approvals: [{ name: 'release' }] },
    },
  });
  const running = startBaton(place.runArguments(plan, '--plain'));
  const asked = Promise.withResolvers<string>();
  let printed = '';
  running.child.stdout!.on('data', (chunk: Buffer) => {
    printed += chunk.toString();
    const [, id] = /baton approve (\S+)/.exec(printed) ?? [];
    if (id !== undefined) asked.resolve(id);
  });

  const approved = await spawnBaton(['approve', await asked.promise, '--comment', 'It may go.', '--data', place.dataDir]);
  const { code, stdout } = await running.exited;

  expect(approved).toMatchObject({ code: 0, stdout: expect.stringContaining('"release" of IMPLEMENTATION') as string });
  expect(code).toBe(0);
  expect(stdout).toContain('gate IMPLEMENTATION waits');
  expect(stdout).toContain('approved "release": It may go.');
  expect(stdout).toContain('IMPLEMENTATION → TESTING');
});

test('with --json the report is all that is printed on standard output', async () => {
  await using place = await createPlanFolder();
  const plan = await place.writePlan({});

  const { code, stdout } = await spawnBaton(place.runArguments(plan, '--json'));

  expect(code).toBe(0);
  expect(runReport.parse(JSON.parse(stdout))).toMatchObject({ outcome: 'done', plan: 'sample' });
});

test('what a run came to is said even where its report can no longer be written', async () => {
  await using place = await createPlanFolder();
  const gone = join(place.path, 'gone');
  await mkdir(gone);
  const remover = { command: ['node', '-e', `fs.rmSync(${JSON.stringify(gone)}, { recursive: true })`], capabilities: ['remove'] };
  const plan = await place.writePlan({ IMPLEMENTATION: { tasks: [{ type: 'remove' }], gate: {} } }, { agents: { remover } });

  const { code, stdout, stderr } = await spawnBaton(place.runArguments(plan, '--report', join(gone, 'report.json')));

  expect(code).toBe(1);
  expect(stdout).toContain('A change: DONE');
  expect(stderr).toContain('--report: the report cannot be written to');
});

test('each failed attempt is told in one line, with what the program said last', async () => {
  await using place = await createPlanFolder();
  const failing = { command: ['node', '-e', 'console.error("one\\nError: two"); process.exit(3)'], capabilities: ['fail'] };
  const plan = await place.writePlan(
    { IMPLEMENTATION: { tasks: [{ type: 'fail', title: 'Try', maxAttempts: 2 }], gate: {} } },
    { agents: { failing } },
  );

  const { code, stdout } = await spawnBaton(place.runArguments(plan));

  expect(code).toBe(1);
  const lines = stdout.slice(0, stdout.indexOf('gate IMPLEMENTATION')).split('\n');
  expect(lines.filter((line) => line.includes('exited with code 3')).map((line) => line.slice(9))).toEqual([
    expect.stringMatching(/^↻ Try: attempt 1 failed, again in .*: node exited with code 3: Error: two$/),
    '✗ Try: node exited with code 3: Error: two',
  ]);
});

test('a ticket that its gate blocks ends the run with the reason', async () => {
  await using place = await createPlanFolder();
  const plan = await place.writePlan({
    TESTING: { tasks: [{ type: 'check-file', input: { file: 'README' } }], gate: { artifacts: ['signature'] } },
  });

  const { code, stdout } = await spawnBaton(place.runArguments(plan));

  expect(code).toBe(1);
  expect(stdout).toContain('signature');
  expect(await place.readReport()).toMatchObject({
    outcome: 'blocked',
    ticket: { state: 'blocked', phase: 'BLOCKED' },
    reason: expect.stringContaining('signature'),
  });
});

test('a task that nobody can do is named at once, and ends the run when nothing else can go on', async () => {
  await using place = await createPlanFolder();
  const plan = await place.writePlan({ IMPLEMENTATION: { tasks: [{ type: 'delegate' }], gate: {} } });

  const { code, stdout } = await spawnBaton(place.runArguments(plan));

  expect(code).toBe(1);
  expect(stdout).toContain('«Translate it» waits: no living agent offers french; there are');
  expect(await place.readReport()).toMatchObject({ outcome: 'failed', reason: expect.stringContaining('nothing can go on') });
});

test('an agent that dies is started again, and its task is tried again', async () => {
  await using place = await createPlanFolder();
  const plan = await place.writePlan({ IMPLEMENTATION: { tasks: [{ type: 'crash' }], gate: {} } });

  const { code, stdout } = await spawnBaton(place.runArguments(plan), { env: { BATON_LEASE_MS: '2000', BATON_HEARTBEAT_MS: '500' } });

  expect(code).toBe(0);
  expect(stdout).toContain('agent checker ended with exit code 7; it is started again in 500 ms');
  expect((await place.readReport()).agents).toContainEqual({ name: 'checker', restarts: 1 });
});
