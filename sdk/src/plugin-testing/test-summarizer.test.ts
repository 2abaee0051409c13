import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createPluginFixture, type PluginFixture, writePackage } from '../plugin-host/plugin-fixture.ts';
import { testSummarizer, type SummarizerCases } from './test-summarizer.ts';

const code = `
import { definePlugin, defineSummarizer } from '@baton/sdk/plugin';
import { z } from 'zod';
const config = z.object({});
let asked = 0;
export default definePlugin({ name: 'told', apiVersion: 1, summarizers: [
  defineSummarizer({ name: 'first', config, summarize: ({ items: [first] }) => (first ? { text: first.text + ' [' + first.citation + ']', citations: [first.citation] } : { text: '', citations: [] }) }),
  defineSummarizer({ name: 'fickle', config, summarize: () => ({ text: asked++ + ' [c:1]', citations: ['c:1'] }) }),
  defineSummarizer({ name: 'inventor', config, summarize: () => ({ text: 'x', citations: ['c:99'] }) }),
] });`;

let fixture: PluginFixture;
beforeAll(async () => {
  fixture = await createPluginFixture();
  const summarizers = ['first', 'fickle', 'inventor'];
  await writePackage(join(fixture.folder, 'told'), { name: 'told', baton: { apiVersion: 1, summarizers } }, code);
});
afterAll(() => fixture.remove());

const check = (name: string, cases: SummarizerCases) => testSummarizer({ name }, { folder: join(fixture.folder, 'told'), ...cases });
const items = [{ text: 'Use feature flags.' }, { text: 'Ship in May.' }];

test('cases that hold are silent', async () => {
  await check('first', { valid: [{ name: 'two', items, says: ['feature flags'], cites: ['c:1'] }] });
  await check('inventor', { valid: [], refused: [{ name: 'two', items, reason: 'The summary cites c:99' }] });
});

test('all that do not hold are named, with what was said instead', async () => {
  const checking = check('first', {
    valid: [
      { name: 'another part', items, says: ['May'] },
      { name: 'another citation', items, cites: ['c:2'] },
      { name: 'too little', items, budgetTokens: 1 },
    ],
    refused: [{ name: 'two', items, reason: 'too many' }],
  });

  await expect(checking).rejects.toThrow(
    [
      'first:',
      '  another part: should say "May" and says "Use feature flags. [c:1]"',
      '  another citation: should cite c:2 and cites c:1',
      '  too little: should come to a summary and is error: The summary has 9 tokens, of 1 allowed.',
      '  two: should be refused because of "too many" and is "Use feature flags. [c:1]"',
    ].join('\n'),
  );
});

test('a summarizer that says something else the second time is found', async () => {
  await expect(check('fickle', { valid: [{ name: 'two', items }] })).rejects.toThrow(
    'asked again it says something else: "0 [c:1]", then "1 [c:1]"',
  );
});
