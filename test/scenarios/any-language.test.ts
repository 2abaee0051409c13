import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { connect } from '@baton/sdk/connection';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { createTestFolder, createTestState } from '../support/database.ts';
import { spawnBaton, spawnDaemon } from '../support/process.ts';
import { startWscat, type Wscat } from '../support/wscat.ts';

const guide = await readFile(join(import.meta.dirname, '..', '..', 'docs', 'guide', 'any-language.md'), 'utf8');
const blocks = [...guide.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].map(([, language, code]) => ({ language, code: code! }));
const commands = blocks.filter(({ language, code }) => language === 'sh' && !code.includes('wscat')).map(({ code }) => code);
const frames = blocks.filter(({ language }) => language === 'text').map(({ code }) => code.trim().split('\n'));

interface Frame {
  readonly id?: number;
  readonly params?: { readonly events: readonly Record<string, unknown>[] };
}

/** Runs the commands of the guide, as they stand but for where the coordinator is, and answers what they print. */
async function runCommands({ httpUrl, tokenFile }: Daemon, scripts: readonly string[]): Promise<string> {
  const script = scripts.join('\n').replace('http://127.0.0.1:4766', httpUrl).replace('.baton/token', `'${tokenFile}'`);
  return (await promisify(execFile)('sh', ['-euc', script])).stdout;
}

test('there are twelve frames', () => {
  expect(frames.map(([sent]) => (JSON.parse(sent!.slice(2)) as Frame).id)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
});

test('the twelve frames are answered as the guide shows', async () => {
  await using daemon = await startDaemon();
  const output = await runCommands(daemon, commands.slice(0, 1));
  const names = new Map([['TICKET', /TICKET is (\S+)/.exec(output)![1]!]]);
  await using terminal = await startWscat(daemon);
  const reader = createReader(terminal);

  const differences: string[] = [];
  for (const line of frames.flat()) {
    const text = [...names].reduce((before, [name, id]) => before.replaceAll(`"${name}"`, `"${id}"`), line.slice(2));
    if (line.startsWith('> ')) terminal.send(text);
    else {
      const shown = JSON.parse(text) as Frame;
      const found = await (shown.id === undefined ? reader.event(shown) : reader.answer(shown.id));
      differences.push(...compareShown(found, shown, names));
    }
  }

  expect(differences).toEqual([]);
});

test('the commands with curl do what the guide says', async () => {
  await using daemon = await startDaemon();

  const output = await runCommands(daemon, commands);

  expect(output).not.toContain('"error"');
  const { tasks } = await daemon.client.task.list({});
  expect(tasks.map(({ type, state, agentName }) => ({ type, state, agentName }))).toEqual([
    { type: 'greet', state: 'completed', agentName: 'shell' },
  ]);
  expect((await daemon.client.agent.list()).agents).toEqual([]);
});

test('the validator in Python judges in a gate, as the guide shows', async () => {
  await using folder = await createTestFolder();
  await using state = await createTestState();
  const blockOf = (wanted: string) => blocks.find(({ language }) => language === wanted)!.code;
  await writeFile(join(folder.path, 'check_words.py'), blockOf('python'));
  await writeFile(join(folder.path, 'written.yaml'), blockOf('yaml'));
  await using daemon = await spawnDaemon(state.options, { cwd: folder.path });
  const { url, httpUrl, tokenFile } = daemon.ready;
  const put = await spawnBaton(['workflow', 'put', 'written.yaml', '--url', httpUrl, '--token-file', tokenFile], { cwd: folder.path });
  await using connection = await connect({ url, token: (await readFile(tokenFile, 'utf8')).trim() });
  const { client } = connection;
  const { id: ticketId } = await client.ticket.create({ title: 'A page', workflow: { name: 'written' } });
  const judge = async (text: string) => {
    await client.artifact.put({ ticketId, artifact: { type: 'page', name: 'index', content: { text } } });
    return client.gate.validate({ ticketId });
  };

  const short = await judge('Two words.');
  const long = await judge('These are three and more.');

  expect(put).toMatchObject({ code: 0, stderr: '' });
  expect(short).toMatchObject({
    outcome: 'failed',
    reasons: [{ code: 'validator_failed', validator: 'exec', findingCode: 'too_short', message: 'index is too short.', path: 'index' }],
  });
  expect(long).toMatchObject({ outcome: 'passed', verdicts: [{ validator: 'exec', outcome: 'pass' }] });
});

/** Finds the frame that is asked for among those that have come, in whatever order. */
function createReader(terminal: Wscat) {
  const frames: Frame[] = [];
  const find = async (fits: (frame: Frame) => boolean): Promise<Frame> => {
    let found = frames.find(fits);
    while (found === undefined) {
      const frame = JSON.parse(await terminal.next()) as Frame;
      frames.push(frame);
      if (fits(frame)) found = frame;
    }
    return found;
  };
  return {
    answer: (id: number) => find((frame) => frame.id === id),
    /** The notification with the event that is shown; events that happened together come together. */
    async event({ params: shown }: Frame): Promise<Frame> {
      const name = shown!.events[0]!['name'];
      const { params, ...frame } = await find(({ params }) => params?.events.some((event) => event['name'] === name) ?? false);
      return { ...frame, params: { events: params!.events.filter((event) => event['name'] === name) } };
    },
  };
}

/** The guide shows less than there is, and calls ids by names in capitals: each is learned where it is first told. */
function compareShown(found: unknown, shown: unknown, names: Map<string, string>): readonly string[] {
  if (typeof shown === 'object' && shown !== null) {
    // Leases are longer in tests, which may stand still for a while.
    const fields = Object.entries(shown).filter(([key]) => key !== 'leaseMs');
    return fields.flatMap(([key, value]) => compareShown((found as Record<string, unknown>)[key], value, names));
  }
  if (found === shown) return [];
  if (typeof found !== 'string' || typeof shown !== 'string' || !placeholders.includes(shown) || names.has(shown)) {
    return [`${JSON.stringify(found)} is shown as ${JSON.stringify(shown)}`];
  }
  names.set(shown, found);
  return [];
}

const placeholders = ['AGENT', 'RESUME', 'SUBSCRIPTION', 'TASK'];
