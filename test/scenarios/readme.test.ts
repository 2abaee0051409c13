import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createLog } from '../../coordinator/src/log.ts';
import { createPluginHost } from '@baton/sdk/plugin/host';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startDaemon } from '../support/daemon.ts';
import { followEvents } from '../support/events.ts';
import { startBaton } from '../support/process.ts';

const root = join(import.meta.dirname, '..', '..');
const readme = await readFile(join(root, 'README.md'), 'utf8');
const blocks = [...readme.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].map(([, language, code]) => ({ language, code: code ?? '' }));
const blockWith = (text: string): string => {
  const found = blocks.find(({ code }) => code.includes(text));
  if (found === undefined) throw new Error(`The README has no block with ${text}.`);
  return found.code;
};

// Below this folder, so that the packages of the workspace are found as they are by someone who installed them.
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(import.meta.dirname, 'readme-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test('the agent of the README does its task', async () => {
  const module = join(folder, 'greeter.ts');
  await writeFile(module, blockWith('// greeter.ts'));
  await using daemon = await startDaemon();
  const events = await followEvents(daemon.connection);
  const agent = startBaton(['agent', module, '--url', daemon.url, '--token-file', daemon.tokenFile]);

  try {
    const ticket = await daemon.client.ticket.create({ title: 'Greet' });
    const { tasks } = await daemon.client.task.submit({ ticketId: ticket.id, tasks: [{ type: 'greet', input: { name: 'Ada' } }] });
    await events.waitFor('task.completed');

    expect(await daemon.client.task.get({ taskId: tasks[0]!.id })).toMatchObject({
      state: 'completed',
      output: { greeting: 'Good morning, Ada.' },
    });
    const { items } = await daemon.client.context.list({ ticketId: ticket.id });
    expect(items.map(({ text }) => text)).toContain('Ada is greeted formally.');
  } finally {
    agent.kill();
    await agent.exited;
  }
});

test('the validator of the README judges', async () => {
  const manifest = {
    name: 'no-todo',
    version: '1.0.0',
    type: 'module',
    exports: './no-todo.js',
    baton: { apiVersion: 1, validators: ['no-todo'] },
  };
  await writeFile(join(folder, 'no-todo.js'), blockWith('// no-todo.js'));
  await writeFile(join(folder, 'package.json'), JSON.stringify(manifest));
  const limits = { threadsMax: 1, memoryMb: 128, timeoutMs: 60_000, startMs: 60_000, verdictBytesMax: 65_536 };
  const host = await createPluginHost({ plugins: [folder], log: createLog({ logLevel: 'silent' }), limits });
  const page = {
    id: 'a',
    ticketId: 't',
    phase: 'DESIGN',
    visit: 1,
    type: 'text',
    name: 'page',
    version: 1,
    mediaType: 'text/plain',
    sha256: '',
    sizeBytes: 1,
    author: 'me',
    token: 'me',
    createdAt: '',
  };
  const facts = { phase: 'DESIGN', visit: 1, tasks: [], attempts: [], replaced: [], ticket: await createTicket() };
  const judge = (content: string) => host.validate({ use: 'no-todo', config: {}, artifacts: [{ ...page, content }], facts });

  try {
    expect(await judge('All is done.')).toMatchObject({ outcome: 'pass' });
    expect(await judge('TODO: the rest.')).toMatchObject({
      outcome: 'fail',
      findings: [{ code: 'todo_left', message: 'page says TODO.' }],
    });
  } finally {
    await host.stop();
  }
});

async function createTicket() {
  await using daemon = await startDaemon();
  return await daemon.client.ticket.create({ title: 'Judged' });
}

test('the calls with curl of the README are answered', async () => {
  await using daemon = await startDaemon();
  const script = blockWith('curl').replaceAll('http://127.0.0.1:4766', daemon.httpUrl).replaceAll('.baton/token', `'${daemon.tokenFile}'`);

  const { stdout } = await promisify(execFile)('sh', ['-ec', script]);

  const answers = stdout
    .replaceAll('}{', '}\n{')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as { result: { title?: string; tickets?: { title: string }[] } });
  expect(answers[0]!.result.title).toBe('Say hello');
  expect(answers[1]!.result.tickets!.map(({ title }) => title)).toEqual(['Say hello']);
});

test('the commands of the README are scripts of the project', async () => {
  const { scripts } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { scripts: Record<string, string> };
  const named = [...readme.matchAll(/pnpm@12 (\S+)/g)].map(([, script]) => script ?? '');

  expect(named.filter((script) => !(script in scripts))).toEqual([]);
});
