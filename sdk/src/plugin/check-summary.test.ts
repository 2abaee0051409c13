import type { ContextItem, ContextKind } from '@baton/protocol';
import { describe, expect, test } from 'vitest';
import { countTokens } from '../plugin-host/count-tokens.ts';
import { findSummaryFault, findUncovered } from './check-summary.ts';

const item = (number: number, kind: ContextKind, text: string): ContextItem => ({
  id: String(number),
  citation: `c:${number}`,
  ticketId: 't',
  phase: 'DESIGN',
  visit: 1,
  kind,
  text,
  references: [],
  pinned: false,
  author: 'ada',
  source: 'said',
  createdAt: '',
});
const items = [
  item(1, 'constraint', 'Answers within 50 ms at 2,000 calls a second.'),
  item(2, 'rejected', 'A second database.'),
  item(3, 'number', 'Coverage is 61.4.'),
  item(4, 'decision', 'Use feature flags.'),
];
const whole = 'Answers within 50 ms at 2,000 calls a second. [c:1]\nA second database. [c:2]\nCoverage is 61.4. [c:3]';
const judge = (text: string, citations = ['c:1', 'c:2', 'c:3']) =>
  findSummaryFault({ text, citations }, { items, budgetTokens: 200, count: countTokens });

describe('a summary keeps its promises where it', () => {
  test.each([
    ['carries all word for word', whole],
    ['carries them without a citation', whole.replaceAll(/ \[c:\d\]/g, '')],
    ['has them on one line, over a line break', whole.replace('50 ms at', '50 ms\n  at')],
    ['says it shorter, with its figures', `At 2,000 calls: 50 ms. [c:1]\nOne database only, coverage 61.4. [c:2][c:3]`],
    ['has several citations in one bracket', `50 ms, 2,000 calls, no second database, 61.4. [c:1, c:2, c:3, DESIGN]`],
  ])('%s', (_, text) => {
    expect(judge(text)).toBeUndefined();
  });
});

describe('a summary is refused that', () => {
  test.each([
    ['is over its budget', `${whole}\n${'word '.repeat(300)}`, /^The summary has \d+ tokens, of 200 allowed\.$/],
    ['cites what is not there', `${whole}\nUse flags. [c:9]`, /cites c:9, which is not among the items/],
    ['leaves out a rejected alternative', whole.replace('A second database. [c:2]\n', ''), /leaves out c:2 \(rejected\):/],
    ['changes a figure', whole.replace('61.4', '64.1'), /leaves out c:3 \(number\)/],
    ['has the figure on another line', whole.replace('Coverage is 61.4. [c:3]', 'Coverage. [c:3]\n61.4'), /leaves out c:3/],
    ['takes the number of a citation for a figure', whole.replace('61.4', 'low'), /leaves out c:3/],
  ])('%s', (_, text, fault) => {
    expect(judge(text)).toMatch(fault);
  });

  test('lists a citation that is not there', () => {
    expect(judge(whole, ['c:1', 'c:77'])).toMatch(/cites c:77/);
  });
});

test('a summary is refused that cites what no longer holds, and need not have it', () => {
  const superseded = { reason: 'It is 70 now.', at: '' };
  const now = items.map((each) => (each.citation === 'c:3' ? { ...each, superseded } : each));
  const judgeNow = (text: string) => findSummaryFault({ text, citations: [] }, { items: now, budgetTokens: 200, count: countTokens });

  expect(judgeNow(whole)).toBe('The summary cites c:3, which no longer holds.');
  expect(judgeNow(whole.replace('\nCoverage is 61.4. [c:3]', ''))).toBeUndefined();
});

test('the name of an attribute in brackets is no citation', () => {
  expect(judge(`${whole}\nSee [rfc:3986] and [abc:1x].`)).toBeUndefined();
});

test('what is left out is told item by item', () => {
  expect(findUncovered('Nothing.', items).map(({ citation }) => citation)).toEqual(['c:1', 'c:2', 'c:3']);
});
