import { chmod, readFile, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Narrative, NewContextItemInput } from '@baton/protocol';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Config } from '../../coordinator/src/config.ts';
import { createPluginFixture, type PluginFixture, writePackage } from '../../sdk/src/plugin-host/plugin-fixture.ts';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { eventually } from '../support/eventually.ts';
import { createTicketIn, setUpBench } from '../support/work.ts';

/** Summarizers as others may write them. `asking` gets its words from a server of the test, and so when the test wants. */
const code = `
import { definePlugin, defineSummarizer } from '@baton/sdk/plugin';
import { z } from 'zod';
const config = z.looseObject({});
const linesOf = (items) => items.map(({ text, citation }) => text + ' [' + citation + ']').join('\\n');
const citationsOf = (items) => items.map(({ citation }) => citation);
const summarizers = [
  defineSummarizer({ name: 'forgetful', config, summarize: ({ items }) => {
    const facts = items.filter(({ kind }) => kind === 'fact');
    return { text: linesOf(facts), citations: citationsOf(facts) };
  } }),
  defineSummarizer({ name: 'quoting', config, summarize: ({ config }) => { throw new Error('The key ' + config.options.apiKey + ' is not known.'); } }),
  defineSummarizer({ name: 'asking', config, summarize: async ({ config, items, signal }) => {
    const said = await (await fetch(config.url, { signal })).text();
    return { text: said + '\\n' + linesOf(items), citations: citationsOf(items) };
  } }),
];
export default definePlugin({ name: 'trial', apiVersion: 1, summarizers });
`;

let fixture: PluginFixture;
let trial: string;
beforeAll(async () => {
  fixture = await createPluginFixture();
  trial = await writePackage(
    join(fixture.folder, 'trial'),
    { name: 'trial', version: '2.3.4', baton: { apiVersion: 1, summarizers: ['forgetful', 'quoting', 'asking'] } },
    code,
  );
});
afterAll(() => fixture.remove());

async function writeConfig(value: object): Promise<string> {
  const file = join(fixture.folder, `config-${crypto.randomUUID()}.json`);
  await writeFile(file, JSON.stringify(value));
  await chmod(file, 0o600);
  return file;
}

const constraint: NewContextItemInput = { kind: 'constraint', text: 'Answers within 50 ms.' };
const fact: NewContextItemInput = { kind: 'fact', text: 'The queue is read in order.' };

interface Notes {
  note(item: NewContextItemInput): Promise<string>;
  summarize(): Promise<Narrative>;
}

/** A ticket in DESIGN, with these items. */
async function takeNotes({ client }: Daemon, ...items: readonly NewContextItemInput[]): Promise<Notes> {
  const { id: ticketId } = await createTicketIn(client, 'DESIGN');
  const note = async (item: NewContextItemInput) => (await client.context.note({ ticketId, item })).citation;
  for (const item of items) await note(item);
  return { note, summarize: async () => (await client.context.aggregate({ ticketId, phase: 'DESIGN' })).narrative! };
}

const daemonWith = (summarizer: string, config: Partial<Config> = {}) =>
  startDaemon({ config: { plugins: [trial], summarizer, ...config } });

async function countRuns({ httpUrl, token }: Daemon, outcome: string): Promise<number> {
  const text = await (await fetch(`${httpUrl}/metrics`, { headers: { authorization: `Bearer ${token}` } })).text();
  return Number(new RegExp(`baton_summary_duration_seconds_count{.*outcome="${outcome}".*} (\\d+)`).exec(text)?.[1] ?? 0);
}

test('a summary says who wrote it, and is made once for the same items', async () => {
  await using daemon = await startDaemon();
  const { note, summarize } = await takeNotes(daemon, constraint, fact);

  const first = await summarize();
  const second = await summarize();

  expect(first).toEqual({
    text: 'constraint: Answers within 50 ms. [c:1]\nfact: The queue is read in order. [c:2]',
    by: 'digest@0.1.0',
    uncovered: [],
    digest: expect.stringMatching(/^[0-9a-f]{64}$/),
    stale: false,
  });
  expect(second).toEqual(first);
  expect(await countRuns(daemon, 'ok')).toBe(1);

  await note({ kind: 'risk', text: 'Scope creep.' });

  expect((await summarize()).digest).not.toBe(first.digest);
  expect(await countRuns(daemon, 'ok')).toBe(2);
});

test('what leaves out a constraint is not used: the extractive summary is, and the reason stands beside it', async () => {
  await using daemon = await daemonWith('forgetful');
  const { summarize } = await takeNotes(daemon, constraint, fact);

  expect(await summarize()).toMatchObject({
    text: 'constraint: Answers within 50 ms. [c:1]\nfact: The queue is read in order. [c:2]',
    by: 'extractive',
    fallbackBecause: expect.stringMatching(/^The summary leaves out c:1 \(constraint\)/),
    uncovered: [],
    stale: false,
  });
  expect(await countRuns(daemon, 'error')).toBe(1);
});

test('a summarizer that failed is not asked for the same again at once', async () => {
  await using daemon = await daemonWith('forgetful');
  const { summarize } = await takeNotes(daemon, constraint, fact);

  expect(await summarize()).toEqual(await summarize());
  expect(await countRuns(daemon, 'error')).toBe(1);
});

test('constraints that are too many for a summary are named', async () => {
  await using daemon = await daemonWith('forgetful');
  const many = Array.from({ length: 80 }, (_, index): NewContextItemInput => ({
    kind: 'constraint',
    text: `Constraint number ${index} holds for every part of the house, the cellar and the roof included.`,
  }));
  const { summarize } = await takeNotes(daemon, ...many);

  const { text, uncovered } = await summarize();

  expect(uncovered.length).toBeGreaterThan(0);
  expect(text.split('\n').length + uncovered.length).toBe(80);
});

test('without a key the summarizer of a model says so, and the extractive summary serves', async () => {
  const llm = fileURLToPath(new URL('../../plugins/llm', import.meta.url));
  await using daemon = await startDaemon({ config: { plugins: [llm], summarizer: 'llm' } });
  const { summarize } = await takeNotes(daemon, constraint);

  expect(await summarize()).toMatchObject({
    text: 'constraint: Answers within 50 ms. [c:1]',
    by: 'extractive',
    fallbackBecause: expect.stringContaining('the file that BATON_SUMMARIZER_CONFIG_FILE names needs "provider" and "model"'),
  });
});

test('of a phase that goes on changing the newest summaries are kept, and no more than ten', async () => {
  await using daemon = await startDaemon({ store: 'postgresql' });
  const { note, summarize } = await takeNotes(daemon, constraint);
  for (let number = 1; number <= 12; number += 1) {
    await note({ kind: 'fact', text: `Fact ${number}.` });
    await summarize();
  }

  const client = new Client({ connectionString: daemon.databaseUrl! });
  await client.connect();
  const { rows } = await client.query<{ text: string }>('select text from context_summaries order by created_at');
  await client.end();

  expect(rows).toHaveLength(10);
  expect(rows.at(-1)!.text).toContain('Fact 12.');
});

test('the summarizer of the guide is used where it has room for all, and refused where it has not', async () => {
  const guide = await readFile(new URL('../../docs/guide/summaries.md', import.meta.url), 'utf8');
  const brief = guide.split('```js\n')[1]!.split('```')[0]!;
  const about = { name: 'brief', baton: { apiVersion: 1, summarizers: ['brief'] } };
  const plugin = await writePackage(join(fixture.folder, 'brief'), about, brief, 'index.js');
  await using daemon = await startDaemon({ config: { plugins: [plugin], summarizer: 'brief' } });
  const few = await takeNotes(daemon, constraint, fact);
  const many = await takeNotes(
    daemon,
    ...Array.from({ length: 60 }, (_, index) => ({ ...constraint, text: `${index}. ${'Nobody leaves. '.repeat(8)}` })),
  );

  expect(await few.summarize()).toMatchObject({
    text: 'constraint: Answers within 50 ms. [c:1]\nfact: The queue is read in order. [c:2]',
    by: 'brief@1.0.0',
  });
  expect(await many.summarize()).toMatchObject({ by: 'extractive', fallbackBecause: expect.stringContaining('The summary leaves out') });
});

test('a summarizer that nobody offers is told as the reason', async () => {
  await using daemon = await daemonWith('poet');
  const { summarize } = await takeNotes(daemon, constraint);

  expect(await summarize()).toMatchObject({ by: 'extractive', fallbackBecause: 'No enabled plugin offers the summarizer poet.' });
});

test('a key in the configuration of the summarizer is shown to nobody, whatever the summarizer says', async () => {
  const summarizerConfigFile = await writeConfig({ options: { apiKey: 'sk-test-123456' } });
  await using daemon = await daemonWith('quoting', { summarizerConfigFile });
  const { summarize } = await takeNotes(daemon, constraint);

  expect((await summarize()).fallbackBecause).toBe('Error: The key … is not known.');
});

test('a coordinator does not start with a configuration that others may read', async () => {
  const summarizerConfigFile = await writeConfig({ options: { apiKey: 'sk-test-123456' } });
  await chmod(summarizerConfigFile, 0o644);

  await expect(daemonWith('quoting', { summarizerConfigFile })).rejects.toThrow(/others may read/);
});

describe('a summarizer that takes its time', () => {
  /** Answers when the test says so. */
  const waiting: ServerResponse[] = [];
  const answer = (text: string) => {
    for (const response of waiting.splice(0)) response.end(text);
  };
  const server = createServer((_: IncomingMessage, response: ServerResponse) => void waiting.push(response));
  let daemon: Daemon;
  beforeAll(async () => {
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    daemon = await daemonWith('asking', { summarizerConfigFile: await writeConfig({ url }), summaryWaitMs: 1 });
  });
  afterAll(async () => {
    await daemon.stop();
    server.closeAllConnections();
    await new Promise((resolve) => {
      server.close(resolve);
    });
  });
  const isAsked = () => eventually(() => expect(waiting).toHaveLength(1), { withinMs: 30_000 });

  test('is not asked at all while a task waits to be claimed', async () => {
    const bench = await setUpBench(daemon);
    const ticketId = bench.ticket.id;
    await daemon.client.context.note({ ticketId, item: fact });
    await daemon.client.ticket.transition({ ticketId, to: 'DESIGN', force: true, reason: 'The test goes on.' });
    await bench.submit({ input: { known: '{{ context }}' } });

    const claim = await bench.agent.claimOne();

    expect(JSON.stringify(claim)).toContain('The queue is read in order. [c:1');
    expect([waiting.length, await countRuns(daemon, 'ok')]).toEqual([0, 0]);
  });

  test('is not waited for; what it says then is kept, answered as stale while it says it anew, and never without a constraint', async () => {
    const { note, summarize } = await takeNotes(daemon, fact);

    expect(await summarize()).toMatchObject({ by: 'extractive', fallbackBecause: expect.stringContaining('It is still being written') });
    await isAsked();
    answer('First words.');
    await eventually(async () => expect(await summarize()).toMatchObject({ by: 'asking@2.3.4', stale: false }), { withinMs: 30_000 });
    const written = await summarize();

    await note({ kind: 'fact', text: 'The queue has a limit.' });
    expect(await summarize()).toEqual({ ...written, stale: true });
    await isAsked();

    await note(constraint);
    expect(await summarize()).toMatchObject({
      by: 'extractive',
      stale: false,
      text: expect.stringContaining('Answers within 50 ms. [c:3]'),
    });
    answer('Second words.');
    await isAsked();
    answer('Third words.');
    await eventually(async () =>
      expect(await summarize()).toMatchObject({ by: 'asking@2.3.4', stale: false, text: expect.stringMatching(/^Third words/) }),
    );
  });
});
