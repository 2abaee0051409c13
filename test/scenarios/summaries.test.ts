import { chmod, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { NewContextItemInput } from '@baton/protocol';
import { Client } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { writePackage } from '../../sdk/src/plugin-host/plugin-fixture.ts';
import { startDaemon } from '../support/daemon.ts';
import { constraint, countRuns, createSummarizerTrial, fact, type SummarizerTrial, takeNotes } from '../support/summaries.ts';

let trial: SummarizerTrial;
beforeAll(async () => {
  trial = await createSummarizerTrial();
});
afterAll(() => trial.remove());

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

test('the data of an item are no part of a summary, which stays where only they have changed', async () => {
  await using daemon = await startDaemon();
  const { note, summarize } = await takeNotes(daemon, { kind: 'number', text: 'The size of the pool.', data: 5 });
  const first = await summarize();
  await note({ kind: 'number', text: 'The size of the pool.', data: 50 });

  expect((await summarize()).digest).toBe(first.digest);
});

test('what leaves out a constraint is not used: the extractive summary is, and the reason stands beside it', async () => {
  await using daemon = await trial.daemonWith('forgetful');
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
  await using daemon = await trial.daemonWith('forgetful');
  const { summarize } = await takeNotes(daemon, constraint, fact);

  expect(await summarize()).toEqual(await summarize());
  expect(await countRuns(daemon, 'error')).toBe(1);
});

test('constraints that are too many for a summary are named', async () => {
  await using daemon = await trial.daemonWith('forgetful');
  const many = Array.from({ length: 80 }, (_, index): NewContextItemInput => ({
    kind: 'constraint',
    text: `Constraint number ${index} holds for every part of the house, the cellar and the roof included.`,
  }));
  const { summarize } = await takeNotes(daemon, ...many);

  const { text, uncovered } = await summarize();

  expect(uncovered.length).toBeGreaterThan(0);
  expect(text.split('\n').length + uncovered.length).toBe(80);
});

test('constraints that are more than a summarizer is given are named as well', async () => {
  await using daemon = await trial.daemonWith('forgetful');
  const many = Array.from({ length: 60 }, (_, index): NewContextItemInput => ({
    kind: 'constraint',
    text: `Constraint ${index}: ${'a b c d '.repeat(480)}`,
  }));
  const { summarize } = await takeNotes(daemon, ...many);

  expect((await summarize()).uncovered).toHaveLength(60);
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
  const plugin = await writePackage(join(trial.folder, 'brief'), about, brief, 'index.js');
  await using daemon = await startDaemon({ config: { plugins: [plugin], summarizer: 'brief' } });
  const few = await takeNotes(daemon, constraint, fact);
  const many = await takeNotes(
    daemon,
    ...Array.from({ length: 30 }, (_, index) => ({ ...constraint, text: `${'x'.repeat(index + 4)}: ${'Nobody leaves. '.repeat(8)}` })),
  );

  expect(await few.summarize()).toMatchObject({
    text: 'constraint: Answers within 50 ms. [c:1]\nfact: The queue is read in order. [c:2]',
    by: 'brief@1.0.0',
  });
  expect(await many.summarize()).toMatchObject({ by: 'extractive', fallbackBecause: expect.stringContaining('The summary leaves out') });
});

test('a summarizer that nobody offers is told as the reason', async () => {
  await using daemon = await trial.daemonWith('poet');
  const { summarize } = await takeNotes(daemon, constraint);

  expect(await summarize()).toMatchObject({ by: 'extractive', fallbackBecause: 'No enabled plugin offers the summarizer poet.' });
});

test('a key in the configuration of the summarizer is shown to nobody, whatever the summarizer says', async () => {
  const summarizerConfigFile = await trial.writeConfig({ secrets: { apiKey: 'sk-test-123456' } });
  await using daemon = await trial.daemonWith('quoting', { summarizerConfigFile });
  const { summarize } = await takeNotes(daemon, constraint);

  expect((await summarize()).fallbackBecause).toBe('Error: The key … is not known.');
});

test('a coordinator does not start with a configuration that others may read', async () => {
  const summarizerConfigFile = await trial.writeConfig({ secrets: { apiKey: 'sk-test-123456' } });
  await chmod(summarizerConfigFile, 0o644);

  await expect(trial.daemonWith('quoting', { summarizerConfigFile })).rejects.toThrow(/others may read/);
});
