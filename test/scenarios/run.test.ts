import '../support/leaks.ts';
import { access, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type RunReport, runReport } from '../../coordinator/src/cli/run/report.ts';
import { eventually } from '../support/eventually.ts';
import { spawnBaton, spawnDaemon, startBaton } from '../support/process.ts';

// Each test runs several processes, and the machine may have others to run.
vi.setConfig({ testTimeout: 180_000 });

const team = join(import.meta.dirname, '..', 'support', 'fixtures', 'run-team');
const agents = { writer: { module: join(team, 'writer.ts') }, checker: { module: join(team, 'checker.ts') } };

let folder: string;
beforeEach(async () => {
  // With a space: paths are never to be split.
  folder = await mkdtemp(join(tmpdir(), 'baton run '));
  await mkdir(join(folder, 'project'));
  await writeFile(join(folder, 'project', 'README'), 'A project.');
});
afterEach(() => rm(folder, { recursive: true }));

/** Writes a plan, as JSON, which is YAML too. Its phases are those of IMPLEMENTATION and TESTING; the others ask for nothing. */
async function writePlan(given: object, phases: Readonly<Record<string, object>>): Promise<string> {
  const free = { REQUIREMENTS: { gate: {} }, IMPLEMENTATION: { gate: {} }, TESTING: { gate: {} } };
  const file = join(folder, 'plan.yaml');
  const plan = {
    name: 'sample',
    workspace: { copy: 'project' },
    agents,
    ticket: { title: 'A change' },
    phases: { ...free, ...phases },
    ...given,
  };
  await writeFile(file, JSON.stringify(plan, undefined, 2));
  return file;
}

const dataDir = () => join(folder, 'data');
const runArguments = (plan: string, ...more: string[]) => [
  'run',
  plan,
  '--data',
  dataDir(),
  '--report',
  join(folder, 'report.json'),
  ...more,
];
const readReport = async (): Promise<RunReport> => runReport.parse(JSON.parse(await readFile(join(folder, 'report.json'), 'utf8')));

async function workspace(): Promise<string> {
  const runs = await readdir(join(dataDir(), 'runs'), { withFileTypes: true });
  const run = runs.find((entry) => entry.isDirectory());
  if (run === undefined) throw new Error('There is no run.');
  return join(dataDir(), 'runs', run.name, 'workspace');
}
const journal = async () => (await readFile(join(await workspace(), 'journal'), 'utf8')).trim().split('\n');

/** The process of the agent that has begun to write this file. */
const writerOf = (file: string): Promise<number> =>
  eventually(
    async () => {
      const [, pid] = new RegExp(`^begin ${file} (\\d+)$`, 'm').exec((await journal()).join('\n')) ?? [];
      if (pid === undefined) throw new Error(`Nobody has begun to write ${file}.`);
      return Number(pid);
    },
    { withinMs: 40_000 },
  );

const isRunning = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};
/** Where nobody adopts orphans at once, the number of a dead process stays taken for a while. */
const expectGone = (pid: number) => expect.poll(() => isRunning(pid), { timeout: 20_000 }).toBe(false);

test('a plan is carried out to DONE, and the report tells how', async () => {
  const plan = await writePlan(
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
  );

  const { code, stdout, stderr } = await spawnBaton(runArguments(plan));

  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toContain('BACKLOG → REQUIREMENTS');
  expect(stdout).toContain('DEPLOYMENT → DONE');
  const report = await readReport();
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
  expect(await readdir(join(folder, 'project'))).toEqual(['README']);
});

test('a gate of a plan waits for an approval, says how to give it, and goes on when it is given', async () => {
  const plan = await writePlan(
    {},
    {
      IMPLEMENTATION: {
        tasks: [{ type: 'write-file', title: 'Write a', input: { file: 'a' } }],
        gate: { artifacts: ['code_changes'], approvals: [{ name: 'release' }] },
      },
    },
  );
  const running = startBaton(runArguments(plan, '--plain'));
  const asked = Promise.withResolvers<string>();
  let printed = '';
  running.child.stdout!.on('data', (chunk: Buffer) => {
    printed += chunk.toString();
    const [, id] = /baton approve (\S+)/.exec(printed) ?? [];
    if (id !== undefined) asked.resolve(id);
  });

  const approved = await spawnBaton(['approve', await asked.promise, '--comment', 'It may go.', '--data', dataDir()]);
  const { code, stdout } = await running.exited;

  expect(approved).toMatchObject({ code: 0, stdout: expect.stringContaining('"release" of IMPLEMENTATION') as string });
  expect(code).toBe(0);
  expect(stdout).toContain('gate IMPLEMENTATION waits');
  expect(stdout).toContain('approved "release": It may go.');
  expect(stdout).toContain('IMPLEMENTATION → TESTING');
});

test('with --json the report is all that is printed on standard output', async () => {
  const plan = await writePlan({}, {});

  const { code, stdout } = await spawnBaton(runArguments(plan, '--json'));

  expect(code).toBe(0);
  expect(runReport.parse(JSON.parse(stdout))).toMatchObject({ outcome: 'done', plan: 'sample' });
});

test('a wrong plan is refused with all its mistakes, and nothing is started', async () => {
  const plan = await writePlan({}, { TESTNG: {}, TESTING: { tasks: [{ type: 'write-fiel' }] } });

  const { code, stdout, stderr } = await spawnBaton(runArguments(plan));

  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr.split('\n')).toEqual([
    expect.stringMatching(
      /plan\.yaml:\d+:\d+ phases\.TESTING\.tasks\[0\]\.type: no agent offers write-fiel; on offer: .*; did you mean write-file\?$/,
    ),
    expect.stringMatching(
      /plan\.yaml:\d+:\d+ phases\.TESTNG: the workflow software-delivery has no such phase; .*; did you mean TESTING\?$/,
    ),
    `2 mistakes in ${plan}. Nothing was started.`,
    '',
  ]);
  await expect(access(dataDir())).rejects.toThrow('ENOENT');
});

test.each<[what: string, args: (folder: string) => string[], stderr: (folder: string) => string]>([
  [
    'a report that cannot be written',
    (at) => ['--report', join(at, 'none', 'report.json')],
    (at) => `--report: the report cannot be written to ${join(at, 'none', 'report.json')}: there is no folder ${join(at, 'none')}.\n`,
  ],
  ['a report in place of a folder', (at) => ['--report', at], (at) => `--report: the report cannot be written to ${at}: it is a folder.\n`],
  ['a project that is not there', (at) => ['--project', join(at, 'none')], (at) => `--project: there is no folder ${join(at, 'none')}.\n`],
  [
    'a port for a coordinator of another',
    () => ['--url', 'http://127.0.0.1:1', '--port', '99'],
    () => "--port is for a coordinator of the run's own, and --url names another. Leave out one of them.\n",
  ],
])('%s is refused before anything is started', async (_, args, stderr) => {
  const plan = await writePlan({}, {});

  const result = await spawnBaton(['run', plan, '--data', dataDir(), ...args(folder)]);

  expect(result).toMatchObject({ code: 2, stdout: '', stderr: stderr(folder) });
  await expect(access(dataDir())).rejects.toThrow('ENOENT');
});

test('what a run came to is said even where its report can no longer be written', async () => {
  const gone = join(folder, 'gone');
  await mkdir(gone);
  const remover = { command: ['node', '-e', `fs.rmSync(${JSON.stringify(gone)}, { recursive: true })`], capabilities: ['remove'] };
  const plan = await writePlan({ agents: { remover } }, { IMPLEMENTATION: { tasks: [{ type: 'remove' }], gate: {} } });

  const { code, stdout, stderr } = await spawnBaton(['run', plan, '--data', dataDir(), '--report', join(gone, 'report.json')]);

  expect(code).toBe(1);
  expect(stdout).toContain('A change: DONE');
  expect(stderr).toContain('--report: the report cannot be written to');
});

test('a plan that is no text, or not there, is named in one line', async () => {
  await writeFile(join(folder, 'picture.png'), Buffer.from([0x89, 0x50, 0x4e, 0x47, 0xff, 0xfe]));
  const check = async (file: string) => {
    const { code, stderr } = await spawnBaton(['plan', 'check', file]);
    return { code, stderr };
  };

  expect(await check(join(folder, 'picture.png'))).toEqual({
    code: 2,
    stderr: `${join(folder, 'picture.png')} is not a text file; a plan is YAML, in UTF-8.\n`,
  });
  expect(await check(join(folder, 'none.yaml'))).toEqual({ code: 2, stderr: `There is no file ${join(folder, 'none.yaml')}.\n` });
  expect(await check(folder)).toEqual({
    code: 2,
    stderr: `${folder} is a folder. Name the plan in it, such as ${join(folder, 'plan.yaml')}.\n`,
  });
});

test('a module that does not find the SDK is told where it is looked for', async () => {
  await writeFile(join(folder, 'apart.ts'), "import '@baton/sdk';\n");
  const plan = await writePlan({ agents: { apart: { module: './apart.ts' } } }, {});

  const { stderr } = await spawnBaton(['plan', 'check', plan]);

  expect(stderr).toContain("agents.apart.module: the module does not load: Cannot find package '@baton/sdk'");
  expect(stderr).toContain('packages are looked for from the module upwards: run `npm install @baton/sdk` in its folder');
});

test('each failed attempt is told in one line, with what the program said last', async () => {
  const failing = { command: ['node', '-e', 'console.error("one\\nError: two"); process.exit(3)'], capabilities: ['fail'] };
  const plan = await writePlan(
    { agents: { failing } },
    { IMPLEMENTATION: { tasks: [{ type: 'fail', title: 'Try', maxAttempts: 2 }], gate: {} } },
  );

  const { code, stdout } = await spawnBaton(runArguments(plan));

  expect(code).toBe(1);
  const lines = stdout.slice(0, stdout.indexOf('gate IMPLEMENTATION')).split('\n');
  expect(lines.filter((line) => line.includes('exited with code 3')).map((line) => line.slice(9))).toEqual([
    expect.stringMatching(/^↻ Try: attempt 1 failed, again in .*: node exited with code 3: Error: two$/),
    '✗ Try: node exited with code 3: Error: two',
  ]);
});

test('a plan whose module does not load is refused with the reason', async () => {
  await writeFile(join(folder, 'broken.ts'), "throw new Error('No network.');\n");
  const plan = await writePlan({ agents: { broken: { module: './broken.ts' }, none: { module: './none.ts' } } }, {});

  const { code, stderr } = await spawnBaton(['plan', 'check', plan]);

  expect(code).toBe(2);
  expect(stderr).toContain('agents.broken.module: the module does not load: No network.');
  expect(stderr).toContain('agents.none.module: there is no such file');
});

test('a ticket that its gate blocks ends the run with the reason', async () => {
  const plan = await writePlan(
    {},
    { TESTING: { tasks: [{ type: 'check-file', input: { file: 'README' } }], gate: { artifacts: ['signature'] } } },
  );

  const { code, stdout } = await spawnBaton(runArguments(plan));

  expect(code).toBe(1);
  expect(stdout).toContain('signature');
  expect(await readReport()).toMatchObject({
    outcome: 'blocked',
    ticket: { state: 'blocked', phase: 'BLOCKED' },
    reason: expect.stringContaining('signature'),
  });
});

test('a task that nobody can do is named at once, and ends the run when nothing else can go on', async () => {
  const plan = await writePlan({}, { IMPLEMENTATION: { tasks: [{ type: 'delegate' }], gate: {} } });

  const { code, stdout } = await spawnBaton(runArguments(plan));

  expect(code).toBe(1);
  expect(stdout).toContain('«Translate it» waits: no living agent offers french; there are');
  expect(await readReport()).toMatchObject({ outcome: 'failed', reason: expect.stringContaining('nothing can go on') });
});

test('an agent that dies is started again, and its task is tried again', async () => {
  const plan = await writePlan({}, { IMPLEMENTATION: { tasks: [{ type: 'crash' }], gate: {} } });

  const { code, stdout } = await spawnBaton(runArguments(plan), { env: { BATON_LEASE_MS: '2000', BATON_HEARTBEAT_MS: '500' } });

  expect(code).toBe(0);
  expect(stdout).toContain('agent checker ended with exit code 7; it is started again in 500 ms');
  expect((await readReport()).agents).toContainEqual({ name: 'checker', restarts: 1 });
});

test('Ctrl-C ends a run with all its processes, and says how to go on', async () => {
  const plan = await writePlan(
    {},
    { IMPLEMENTATION: { tasks: [{ type: 'write-file', input: { file: 'a', takesMs: 20_000 } }], gate: {} } },
  );
  const running = startBaton(runArguments(plan));
  const agentPid = await writerOf('a');

  running.kill('SIGINT');
  const { code, stdout, stderr } = await running.exited;

  expect(code).toBe(130);
  expect(stdout).toContain('stopping; the running task has a few seconds to finish, a second Ctrl-C does not wait');
  expect(stderr).toBe(`Stopped. \`baton run '${plan}' --resume --data '${dataDir()}'\` goes on with it.\n`);
  await expectGone(agentPid);
  expect((await readReport()).outcome).toBe('interrupted');
});

test('a run whose last task is still finished after Ctrl-C has ended by itself', async () => {
  const plan = await writePlan({}, { TESTING: { tasks: [{ type: 'write-file', input: { file: 'a', takesMs: 1_500 } }], gate: {} } });
  const running = startBaton(runArguments(plan));
  await writerOf('a');

  running.kill('SIGINT');
  const { code, stderr } = await running.exited;

  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect((await readReport()).outcome).toBe('done');
});

test('a run that was killed goes on with --resume, and does nothing again that was done', async () => {
  const step = (file: string, takesMs: number, ...dependsOn: string[]) => ({
    ref: file,
    type: 'write-file',
    input: { file, takesMs },
    dependsOn,
  });
  const plan = await writePlan(
    {},
    { IMPLEMENTATION: { tasks: [step('a', 0), step('b', 3_000, 'a'), step('c', 0, 'b')], gate: { artifacts: ['code_changes'] } } },
  );
  const first = startBaton(runArguments(plan));
  const agentPid = await writerOf('b');
  first.kill('SIGKILL');
  await first.exited;
  await expectGone(agentPid);

  const { code, stdout } = await spawnBaton(runArguments(plan, '--resume'));

  expect({ code, stdout }).toMatchObject({ code: 0 });
  const journalled = await journal();
  expect(journalled.filter((entry) => entry.startsWith('begin a'))).toHaveLength(1);
  expect(journalled.filter((entry) => entry === 'end c')).toHaveLength(1);
  expect(await readReport()).toMatchObject({ outcome: 'done', tasks: { total: 3, byState: { completed: 3 } } });

  const again = await spawnBaton(runArguments(plan, '--resume'));
  expect(again.code).toBe(0);
  expect(again.stdout).toContain('has ended: its ticket is closed in DONE');

  await writeFile(plan, `${await readFile(plan, 'utf8')}\n`);
  const changed = await spawnBaton(runArguments(plan, '--resume'));
  expect(changed.code).toBe(1);
  expect(changed.stderr).toContain('was changed since run');
});

test('a second Ctrl-C does not wait, and a new run sets the unfinished one aside', async () => {
  const phases = { IMPLEMENTATION: { tasks: [{ type: 'write-file', input: { file: 'a', takesMs: 5_000 } }], gate: {} } };
  const plan = await writePlan({}, phases);
  const running = startBaton(runArguments(plan));
  const agentPid = await writerOf('a');

  running.kill('SIGINT');
  running.kill('SIGTERM');
  const { code } = await running.exited;

  expect(code).toBe(130);
  await expectGone(agentPid);

  const next = await spawnBaton(runArguments(plan));
  expect(next).toMatchObject({ code: 0, stderr: '' });
  expect(next.stdout).toContain('was not finished and is set aside; --resume would have gone on with it');
  expect((await readReport()).tasks.byState).toEqual({ completed: 1 });
});

test('--resume without a run says so', async () => {
  const plan = await writePlan({}, {});

  const { code, stderr } = await spawnBaton(runArguments(plan, '--resume'));

  expect(code).toBe(1);
  expect(stderr).toContain('No run of sample is known');
});

test('a run may join a coordinator, which can be asked about it and goes on afterwards', async () => {
  const plan = await writePlan({}, { IMPLEMENTATION: { tasks: [{ type: 'write-file', input: { file: 'a' } }], gate: {} } });
  await using daemon = await spawnDaemon(['--data', join(folder, 'daemon')]);
  const { httpUrl, tokenFile } = daemon.ready;
  const target = ['--url', httpUrl, '--token-file', tokenFile];

  const { code } = await spawnBaton(runArguments(plan, ...target));

  expect(code).toBe(0);
  const ask = async (...args: string[]) => JSON.parse((await spawnBaton([...args, '--json', '--data', join(folder, 'daemon')])).stdout);
  expect(await ask('status')).toMatchObject({ name: 'baton', project: 'default', tickets: { open: 0, blocked: 0 } });
  expect(await ask('tickets')).toMatchObject([{ title: 'A change', state: 'closed' }]);
  expect(await ask('tasks')).toMatchObject([{ type: 'write-file', state: 'completed' }]);
  expect(await ask('agents')).toEqual([]);
  expect(await ask('locks')).toEqual([]);
  const table = await spawnBaton(['tickets', ...target]);
  expect(table.stdout).toMatch(/^ID +TITLE +PRIORITY +WORKFLOW +PHASE +VISIT +STATE\n\S+ +A change +MEDIUM +sample@1 +DONE +7 +closed\n$/);
});

test('what cannot be asked is explained in one line', async () => {
  await using daemon = await spawnDaemon(['--data', join(folder, 'daemon')]);
  await writeFile(join(folder, 'token'), 'wrong');
  const ask = async (...args: string[]) => {
    const { code, stderr } = await spawnBaton(['status', ...args]);
    return { code, stderr };
  };

  expect(await ask('--url', daemon.ready.httpUrl, '--token-file', join(folder, 'token'))).toEqual({
    code: 1,
    stderr: `The token in ${join(folder, 'token')} does not fit the coordinator at ${daemon.ready.httpUrl}. Name the right file with --token-file; \`baton up\` says where it lies.\n`,
  });
  expect(await ask('--url', 'http://127.0.0.1:1', '--token-file', join(folder, 'token'))).toEqual({
    code: 1,
    stderr: 'No coordinator answers at http://127.0.0.1:1. Start one with `baton up`, or say with --url or --data where it is.\n',
  });
  await writeFile(join(folder, 'two'), 'one\ntwo\n');
  const two = `The token file ${join(folder, 'two')} must hold one token and nothing else: it has 2 lines. Name the right file, or write the token alone into it.\n`;
  expect(await ask('--url', daemon.ready.httpUrl, '--token-file', join(folder, 'two'))).toEqual({ code: 1, stderr: two });
  expect(await ask('--url', 'here')).toMatchObject({ code: 2 });
  expect(await ask('--nonsense')).toMatchObject({ code: 2 });
});

test('a data folder in use names its holder and the way to join it', async () => {
  const plan = await writePlan({}, {});
  await using daemon = await spawnDaemon(['--data', dataDir()]);

  const { code, stderr } = await spawnBaton(['run', plan, '--data', dataDir()]);

  expect(code).toBe(1);
  expect(stderr).toContain(`in use by process ${daemon.pid}`);
  expect(stderr).toContain(`--url ${daemon.ready.httpUrl}`);
});

test('a ticket is named by its id', async () => {
  const { code, stderr } = await spawnBaton(['tasks', '--ticket', 'abc']);

  expect({ code, stderr }).toEqual({
    code: 2,
    stderr: '--ticket abc is not the id of a ticket; `baton tickets` lists them with their ids.\n',
  });
});

test('baton up says to a person where it listens, and logs nothing of it', async () => {
  const running = startBaton(['up', '--port', '0', '--data', dataDir()]);
  await eventually(() => access(join(dataDir(), 'coordinator.json')), { withinMs: 40_000 });
  running.kill('SIGTERM');
  const { code, stdout, stderr } = await running.exited;

  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toMatch(/^Listening at {2}ws:\/\/\S+\nStore {9}Embedded store: .+\nToken {9}\S.*token\nCtrl-C stops it\.\n$/);
});

test('SIGTERM ends baton up cleanly', async () => {
  const daemon = await spawnDaemon(['--data', dataDir()]);

  daemon.kill('SIGTERM');

  expect(await daemon.exited).toMatchObject({ code: 0 });
});
