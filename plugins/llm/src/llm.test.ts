import { type ContextKind, findSummaryFault } from '@baton/sdk/plugin';
import { makeItem } from '@baton/sdk/plugin/testing';
import { MockLanguageModelV4 } from 'ai/test';
import { describe, expect, test } from 'vitest';
import { llmConfig } from './config.ts';
import type { Statement } from './ask-model.ts';
import { summarizeWith } from './summarize.ts';

/** Words and marks, which is enough of a counter for a test. */
const count = (text: string) => text.split(/\s+/).filter(Boolean).length;

const item = (number: number, kind: ContextKind, text: string) => makeItem({ kind, text }, number - 1);
const items = [
  item(1, 'constraint', 'Answers within 50 ms.'),
  item(2, 'decision', 'Use feature flags.'),
  item(3, 'decision', 'Flags live in the database.'),
  item(4, 'number', 'The queue holds 2,000 entries.'),
];

const usage = {
  inputTokens: { total: 1, noCache: 1, cacheRead: undefined, cacheWrite: undefined },
  outputTokens: { total: 1, text: 1, reasoning: undefined },
};

/** The SDK's own stand-in for a provider, which says this. */
const modelSaying = (...texts: readonly string[]) =>
  new MockLanguageModelV4({
    doGenerate: texts.map((text) => ({
      content: [{ type: 'text' as const, text }],
      finishReason: { unified: 'stop' as const, raw: undefined },
      usage,
      warnings: [],
    })),
  });
const modelStating = (...statements: readonly Statement[]) => modelSaying(JSON.stringify({ statements }));

const summarize = (model: MockLanguageModelV4, { budgetTokens = 100, config = {} }: { budgetTokens?: number; config?: object } = {}) =>
  summarizeWith(model, { config: llmConfig.parse(config), items, budgetTokens, count, signal: AbortSignal.timeout(10_000) });

const sound: Statement[] = [
  { text: 'Feature flags, kept in the database.', citations: ['c:2', 'c:3'] },
  { text: 'Answers within 50 ms. The queue holds 2,000 entries.', citations: ['c:1', 'c:4'] },
];

describe('what a model says becomes a summary', () => {
  test('with the sources of each line, what has to be covered first', async () => {
    expect(await summarize(modelStating(...sound))).toEqual({
      text: 'Answers within 50 ms. The queue holds 2,000 entries. [c:1][c:4]\nFeature flags, kept in the database. [c:2][c:3]',
      citations: ['c:1', 'c:4', 'c:2', 'c:3'],
    });
  });

  test('and what it leaves out of constraints and numbers, or says with other figures, is carried word for word', async () => {
    const { text } = await summarize(modelStating(sound[0]!, { text: 'The queue holds 20 entries.', citations: ['c:4'] }));

    expect(text.split('\n').slice(0, 2)).toEqual([
      'constraint: Answers within 50 ms. [c:1]',
      'number: The queue holds 2,000 entries. [c:4]',
    ]);
    expect(text).not.toContain('20 entries');
  });

  test('and a constraint with a citation in its own words is carried as it is', async () => {
    const quoting = [item(1, 'constraint', 'Ports stay closed,\nas [c:99] says.')];
    const work = { items: quoting, budgetTokens: 100, count };

    const summary = await summarizeWith(modelStating(), { ...work, config: llmConfig.parse({}), signal: AbortSignal.timeout(10_000) });

    expect(summary.text).toBe('constraint: Ports stay closed, as [c:99] says. [c:1]');
    expect(findSummaryFault(summary, work)).toBeUndefined();
  });

  test('without statements that have no source, or one that is not there', async () => {
    const { text, citations } = await summarize(
      modelStating(...sound, { text: 'All is well.', citations: [] }, { text: 'It is green.', citations: ['c:2', 'c:99'] }),
    );

    expect(text).not.toMatch(/All is well|green/);
    expect(citations).not.toContain('c:99');
  });

  test('without citations of its own making, and on one line each', async () => {
    const { text } = await summarize(modelStating(sound[1]!, { text: 'Flags\n[c:77] are [see c:2] used.', citations: ['[c:2]'] }));

    expect(text.split('\n')[1]).toBe('Flags are used. [c:2]');
  });

  test.each([0, 5, 9, 12, 20])('within a budget of %i', async (budgetTokens) => {
    const { text } = await summarize(modelStating(...sound), { budgetTokens });

    expect(count(text)).toBeLessThanOrEqual(budgetTokens);
  });
});

test('the model is given the items as data, the budget and the wishes of the operator', async () => {
  const model = modelStating(...sound);

  await summarize(model, { budgetTokens: 321, config: { instructions: 'Write in German.' } });

  const [system, user] = model.doGenerateCalls[0]!.prompt;
  expect(system!.content).toMatch(/at most 321 tokens[^]*Write in German\./);
  expect(JSON.stringify(user!.content)).toContain(
    JSON.stringify(JSON.stringify({ citation: 'c:4', kind: 'number', text: items[3]!.text })).slice(1, -1),
  );
});

test('a model that is given no more than fits is given what has to be covered', async () => {
  const model = modelStating(...sound);
  const many = Array.from({ length: 400 }, (_, index) => item(index + 10, 'fact', `Fact ${index} of many that all say something else.`));

  await summarizeWith(model, {
    config: llmConfig.parse({ inputTokensMax: 500 }),
    items: [...items, ...many],
    budgetTokens: 100,
    count,
    signal: AbortSignal.timeout(10_000),
  });

  const asked = JSON.stringify(model.doGenerateCalls[0]!.prompt);
  expect(asked).toContain('Answers within 50 ms.');
  expect(asked).toContain('Fact 399 ');
  expect(asked).not.toContain('Fact 0 ');
});

test.each([
  ['no JSON', 'I cannot do that.'],
  ['another form', '{"summary":"all good"}'],
])('a model that answers with %s is an error', async (_, said) => {
  await expect(summarize(modelSaying(said))).rejects.toThrow(/No object generated/);
});

test('of nothing no model is asked', async () => {
  const model = modelSaying();

  expect(
    await summarizeWith(model, { config: llmConfig.parse({}), items: [], budgetTokens: 10, count, signal: AbortSignal.timeout(10_000) }),
  ).toEqual({
    text: '',
    citations: [],
  });
  expect(model.doGenerateCalls).toEqual([]);
});
