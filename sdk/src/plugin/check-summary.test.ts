import type { ContextKind } from '@baton/protocol';
import { describe, expect, test } from 'vitest';
import { countTokens } from '../plugin-host/count-tokens.ts';
import { makeItem } from '../plugin-testing/make-case.ts';
import { findSummaryFault, findUncovered } from './check-summary.ts';

const item = (number: number, kind: ContextKind, text: string) => makeItem({ kind, text }, number - 1);
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
    ['says one on two lines', whole.replace('A second database.', 'No database [c:2]\nbeside the second.')],
    ['says in other words what has no number', whole.replace('A second database.', 'One database only.')],
    ['says several on a line', 'Answers within 50 ms at 2,000 calls a second. No second database! (Coverage is 61.4.) [c:1][c:2][c:3]'],
    ['says what begins with a figure after another sentence', whole.replace('A second', '**Answers** stay. "Coverage is 61.4". A second')],
    [
      'cites in the middle and at the end',
      'Answers within 50 ms at 2,000 calls a second [c:1] and no second database [c:2]: Coverage is 61.4 [c:3].',
    ],
    ['has an empty line', whole.replace('\n', '\n\n')],
    ['has several citations in one bracket', `${whole.replaceAll(/\n?\[c:\d\]\n?/g, '')} [c:1, c:2, c:3, DESIGN]`],
    ['is a table', `| ${whole.replaceAll(/ (?=\[c)/g, ' | ').replaceAll('\n', '\n| ')}`],
    ['has points', `• ${whole.replaceAll('\n', '\n• ')}`],
    ['has lists and reasons in brackets', `- number: Coverage is 61.4 (as of today). [c:3]\n${whole}`],
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
    ['has the figure on another line', whole.replace('Coverage is 61.4. [c:3]', 'Coverage. [c:3]\n61.4 [c:4]'), /leaves out c:3/],
    ['has the figure in a longer one', whole.replace('61.4', '161.4'), /leaves out c:3/],
    ['has another unit', whole.replace('50 ms', '50 s'), /leaves out c:1/],
    ['has a figure without its unit', whole.replace('50 ms', '50'), /leaves out c:1/],
    ['has another sign in a code span', whole.replace('61.4', '`-61.4`'), /leaves out c:3/],
    ['cites without a word on the line', `${whole}\n [c:4][c:1]`, /^The summary has a line that cites c:4 and says nothing\.$/],
    ['cites a rejected alternative on a line about something else', whole.replace('A second database.', 'All is well.'), /leaves out c:2/],
    ['has another sign', whole.replace('50 ms', '-50 ms'), /leaves out c:1/],
    ['carries one word for word and cites another', whole.replace('[c:3]', '[c:4]'), /leaves out c:3/],
    ['names a citation without brackets', whole.replace('[c:3]', 'c:3'), /says "Coverage is 61\.4\. c:3" without a source/],
    ['names a citation in a remark', whole.replace('[c:3]', '[see c:3]'), /without a source/],
    ['has a line without a citation', `${whole}\nAll is well.`, /says "All is well\." without a source/],
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

test('the name of something else in brackets is no citation', () => {
  expect(judge(`${whole}\nSee [rfc:3986] and [abc:1x]. [c:4]`)).toBeUndefined();
});

describe('an item that has citations in its own words', () => {
  const quoting = [item(1, 'constraint', 'Ports stay closed, as [c:7] and [c:2]'), item(2, 'number', '5'), item(3, 'fact', 'See [c:1]')];
  const judgeQuoting = (text: string) =>
    findSummaryFault({ text, citations: [] }, { items: quoting, budgetTokens: 200, count: countTokens });
  const carried = 'Ports stay closed, as [c:7] and [c:2] [c:1]';

  test('can be carried word for word', () => {
    expect(judgeQuoting(`${carried}\nSee [c:1] [c:3]\n5 [c:2]`)).toBeUndefined();
  });

  test('covers nothing by them, and is no source by them', () => {
    expect(judgeQuoting(`${carried} with 5 [c:3]`)).toMatch(/leaves out c:1 \(constraint\), c:2 \(number\)/);
    expect(judgeQuoting(`${carried}\n5 [c:2]\nSee [c:1] there`)).toMatch(/"See \[c:1\] there" without a source/);
  });
});

describe('a number that was changed is found', () => {
  test.each([
    ['The session lease lasts 15 seconds.', 'The session lease lasts 15 minutes.'],
    ['The default timeout is 30 seconds for every call.', 'The default timeout is 30 hours for every call.'],
    ['The budget is 5 million dollars.', 'The budget is 5 billion dollars.'],
    ['The upload limit is 5M for images.', 'The upload limit is 5K for images.'],
    ['The upload limit is 5M.', 'The upload limit is 5m.'],
    ['Coverage must be >= 80 for every module.', 'Coverage must be < 80 for every module.'],
    ['Coverage of every module >= 80', 'Coverage of every module > = 80'],
    ['80 of all modules', '< 80 of all modules'],
    ['5 of all modules', '1.5 of all modules'],
    ['5 of all modules', '2*5 of all modules'],
    ['The coverage is 61', 'The coverage is 61*2'],
    ['The coverage is 61', 'The coverage is 61.4'],
    ['The coverage is 61', 'The coverage is 61 million'],
    ['The coverage is 61', 'The coverage is 61 %'],
    ['The coverage is 61', 'The coverage is 61-70'],
    ['Retry five times at most before giving up.', 'Retry nine times at most before giving up.'],
    ['Retry at least 5 times.', 'Retry at most 5 times.'],
    ['Keep 3 replicas, not 5.', 'Keep 5 replicas, not 3.'],
    ['Pool size is 32 and queue size is 64.', 'Pool size is 64 and queue size is 32.'],
    ['Pool size is 32 and queue size is 64.', 'Queue size is 32 and pool size is 64.'],
    ['The coverage is 61', 'The coverage is 61 * 2'],
    ['The coverage is 61', 'The coverage is 61…70'],
    ['The coverage is 61', 'The coverage is 61 …70'],
    ['The coverage is 61', 'The coverage is 61 | 70'],
    ['5 of all modules', '2 * 5 of all modules'],
    ['5 of all modules', '10 - 5 of all modules'],
    ['5 of all modules', '(-) (5 of all modules)'],
    ['5 replicas', '−(5 replicas)'],
    ['500 calls', '1, 500 calls'],
    ['500 calls', '1. 500 calls'],
    ['The delay is 5', 'The delay is 5_ 000'],
    ['The delay is 5', 'The delay is 5. 000'],
    ['The delay is 5', 'The delay is 5, 000'],
    ['The budget is 5', 'The budget is 5 (million)'],
    ['超时为十五秒。', '超时为五十秒。'],
  ])('%j is not %j', (said, changed) => {
    const given = [item(1, 'constraint', said)];

    expect(findUncovered(`constraint: ${changed} [c:1]`, given)).toEqual(given);
    expect(findUncovered(`constraint: ${said} [c:1]`, given)).toEqual([]);
  });

  test('also where a number has no figure', () => {
    expect(
      findUncovered('Retry nearly always before giving up. [c:1]', [item(1, 'number', 'Retry always before giving up.')]),
    ).toHaveLength(1);
  });
});

describe('in every language a line about something else covers nothing', () => {
  test.each([
    ['支付卡号不得写入日志。', '今天天气很好。', '日志不得有支付卡号。'],
    ['カード番号をログに書いてはならない。', '天気はよくて、それを書いてはならないに。', 'ログにカード番号を書かない。'],
    ['ห้ามบันทึกหมายเลขบัตร', 'ดี', 'หมายเลขบัตรห้ามบันทึก'],
    ['카드 번호를 로그에 쓰지 마라.', '오늘 날씨가 좋다.', '로그에 카드 번호를 쓰지 않는다.'],
    ['Use Go, not C.', 'Use it, not me.', 'Note: Use Go, not C.'],
    ['No SQL in UI.', 'All is ok', '(No SQL in UI)'],
  ])('%s', (said, other, same) => {
    const given = [item(1, 'constraint', said)];

    expect(findUncovered(`${other} [c:1]`, given)).toEqual(given);
    expect(findUncovered(`${same} [c:1]`, given)).toEqual([]);
  });
});

test('what is left out is told item by item', () => {
  expect(findUncovered('Nothing.', items).map(({ citation }) => citation)).toEqual(['c:1', 'c:2', 'c:3']);
});
