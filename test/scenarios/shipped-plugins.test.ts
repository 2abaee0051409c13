import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import type { ContextItem, JsonObject } from '@baton/protocol';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { countTokens, createPluginHost, type PluginHost } from '@baton/sdk/plugin/host';
import { readConfig } from '../../coordinator/src/config.ts';
import { createPluginFixture, sampleArtifact, sampleFacts, silentLog, writePackage } from '../../sdk/src/plugin-host/plugin-fixture.ts';

const shipped = readConfig({}, {}).plugins;
const limits = { threadsMax: 2, memoryMb: 128, timeoutMs: 60_000, startMs: 60_000, verdictBytesMax: 65_536 };
const bases = [import.meta.resolve('@baton/coordinator/package.json')];
const log = silentLog;
const hasBwrap = (process.env['PATH'] ?? '').split(delimiter).some((folder) => existsSync(join(folder, 'bwrap')));
let host: PluginHost;
beforeAll(async () => {
  host = await createPluginHost({ plugins: shipped, mayRunPrograms: shipped, bases, log, limits });
});
afterAll(() => host.stop());

const validate = (use: string, config: JsonObject, content: JsonObject = {}, timeoutMs?: number) =>
  host.validate({ use, config, artifacts: [sampleArtifact('test_coverage', content)], facts: sampleFacts, timeoutMs });

test('the shipped plugins are enabled by default and offer what their manifests say', () => {
  expect(host.list().map(({ name, validators, summarizers }) => ({ name, validators, summarizers }))).toEqual([
    { name: '@baton/plugin-criteria', validators: ['criteria'], summarizers: [] },
    { name: '@baton/plugin-command', validators: ['command', 'exec'], summarizers: [] },
    { name: '@baton/plugin-coverage', validators: ['coverage'], summarizers: [] },
    { name: '@baton/plugin-junit', validators: ['junit'], summarizers: [] },
    { name: '@baton/plugin-json-schema', validators: ['json-schema'], summarizers: [] },
    { name: '@baton/plugin-review', validators: ['review'], summarizers: [] },
    { name: '@baton/plugin-lease-guard', validators: ['lease-guard'], summarizers: [] },
    { name: '@baton/plugin-digest', validators: [], summarizers: ['digest'] },
  ]);
  expect([host.hasValidator('criteria'), host.hasValidator('digest'), host.hasSummarizer('digest')]).toEqual([true, false, true]);
});

test.runIf(hasBwrap)('those that only look find all that they are made of under bwrap, too', async () => {
  const plugins = shipped.filter((name) => name !== '@baton/plugin-command');
  const looking = await createPluginHost({ plugins, bases, log, limits, sandbox: 'bwrap' });
  await using _stopping = { [Symbol.asyncDispose]: () => looking.stop() };
  const config = { field: 'that none of them has' };
  const uses = looking.list().flatMap(({ validators }) => validators);

  const verdicts = await Promise.all(uses.map((use) => looking.validate({ use, config, artifacts: [], facts: sampleFacts })));

  expect(verdicts.map(({ findings }) => findings[0]?.code)).toEqual(uses.map(() => 'config_invalid'));
});

describe('criteria', () => {
  const criteria = [{ artifact: 'test_coverage', path: 'percentage', op: '>=', value: 80 }];

  test('G12 a percentage of 80 passes, 79.9 fails, and null fails with a reason', async () => {
    const verdicts = await Promise.all([80, 79.9, null].map((percentage) => validate('criteria', { criteria }, { percentage })));

    expect(verdicts.map(({ outcome, findings }) => [outcome, ...findings.map(({ message }) => message)])).toEqual([
      ['pass'],
      ['fail', 'test_coverage: percentage is 79.9, wanted >= 80'],
      ['fail', 'test_coverage: percentage is null, wanted >= 80'],
    ]);
  });

  test('a configuration that does not fit is an error that names the field', async () => {
    expect(await validate('criteria', { criteria: [{ ...criteria[0], op: '=~' }] })).toMatchObject({
      outcome: 'error',
      findings: [
        {
          code: 'config_invalid',
          path: 'criteria[0].op',
          message: expect.stringContaining('The configuration does not fit: criteria[0].op: '),
        },
      ],
    });
  });
});

describe('command', () => {
  const node = (code: string) => ({ command: [process.execPath, '-e', code] });

  test('a program is found on the path, and its exit code is the verdict', async () => {
    expect(await validate('command', { command: ['node', '--version'] })).toMatchObject({ outcome: 'pass' });
    expect(await validate('command', node('console.error("no"); process.exitCode = 4'))).toMatchObject({
      outcome: 'fail',
      findings: [{ code: 'command_failed', message: expect.stringMatching(/ended with exit code 4:\nno$/) }],
    });
  });

  test('a program sees neither the tokens nor the settings of the coordinator', async () => {
    vi.stubEnv('BATON_SECRET_OF_TEST', 'x');

    const verdict = await validate(
      'command',
      node('process.exitCode = Object.keys(process.env).some((name) => /^BATON|DATABASE|VITEST/.test(name)) ? 1 : 0'),
    );

    expect(verdict.outcome).toBe('pass');
  });

  test('a program that takes too long is a timeout', async () => {
    expect(await validate('command', node('setTimeout(() => {}, 60_000)'), {}, 300)).toMatchObject({ outcome: 'timeout' });
  });

  test('a program that is not there is an error', async () => {
    expect(await validate('command', { command: ['no-such-program-here'] })).toMatchObject({
      outcome: 'error',
      findings: [
        { message: expect.stringContaining('no-such-program-here cannot be started: there is no such program, or it may not be run.') },
      ],
    });
  });
});

describe('digest', () => {
  const items = ['Use feature flags.', 'Ship in May.'].map((text, index): ContextItem => ({
    id: crypto.randomUUID(),
    citation: `c:${index + 1}`,
    ticketId: sampleFacts.ticket.id,
    phase: 'REQUIREMENTS',
    visit: 1,
    kind: index === 0 ? 'decision' : 'constraint',
    text,
    references: [],
    pinned: false,
    author: 'a',
    source: 'said',
    createdAt: '2026-01-01T00:00:00.000Z',
  }));
  const summarize = (budgetTokens: number) => host.summarize({ use: 'digest', config: {}, items, budgetTokens });

  test('items become cited lines within the budget', async () => {
    const text = 'constraint: Ship in May. [c:2]\ndecision: Use feature flags. [c:1]';

    expect(await summarize(200)).toEqual({ outcome: 'ok', text, citations: ['c:2', 'c:1'] });
    expect(await summarize(countTokens(text) - 1)).toEqual({ outcome: 'ok', text: 'constraint: Ship in May. [c:2]', citations: ['c:2'] });
  });

  test('a summarizer that nobody offers is an error', async () => {
    expect(await host.summarize({ use: 'llm', config: {}, items, budgetTokens: 100 })).toEqual({
      outcome: 'error',
      message: 'No enabled plugin offers the summarizer llm.',
    });
  });
});

test('the validator of the guide does what the guide says', async () => {
  const guide = await readFile(new URL('../../docs/guide/first-plugin.md', import.meta.url), 'utf8');
  const [code, about] = ['js', 'json'].map((language) => guide.split(`\`\`\`${language}\n`)[1]!.split('```')[0]!);
  await using fixture = await createPluginFixture();
  await writePackage(join(fixture.folder, 'no-todo'), JSON.parse(about!), code!, 'index.js');
  const own = await createPluginHost({ plugins: ['./no-todo'], log, limits, cwd: fixture.folder });

  const judge = (content: JsonObject) =>
    own.validate({
      use: 'no-todo',
      config: { artifact: 'requirements_document' },
      artifacts: [sampleArtifact('requirements_document', content)],
      facts: sampleFacts,
    });
  const verdicts = await Promise.all([judge({ text: 'TODO: write it' }), judge({ text: 'Written.' })]);
  await own.stop();

  expect(verdicts).toMatchObject([
    { outcome: 'fail', findings: [{ code: 'todo_left', message: 'default still says TODO.' }] },
    { outcome: 'pass' },
  ]);
});
