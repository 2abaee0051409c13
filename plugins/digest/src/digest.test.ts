import { type ContextItem, type ContextKind, findSummaryFault } from '@baton/sdk/plugin';
import { makeItem } from '@baton/sdk/plugin/testing';
import { describe, expect, test } from 'vitest';
import { digestItems } from './digest-items.ts';

/** Words and marks, which is enough of a counter for a test. */
const count = (text: string) => text.split(/\s+/).filter(Boolean).length;

let number = 0;
function item(kind: ContextKind, text: string, more: Partial<ContextItem> = {}): ContextItem {
  number += 1;
  return makeItem({ kind, text, createdAt: new Date(Date.UTC(2026, 0, 1, 0, 0, number)).toISOString(), ...more }, number - 1);
}
const linesOf = (items: readonly ContextItem[], budgetTokens: number) => digestItems(items, { budgetTokens, count }).text.split('\n');

describe('a digest', () => {
  test('puts constraints, rejected alternatives and numbers first, then the newest of each kind', () => {
    const items = [
      item('decision', 'Use flags.', { citation: 'c:1' }),
      item('decision', 'Use two flags.', { citation: 'c:2' }),
      item('number', 'Coverage is 61.4.', { citation: 'c:3' }),
      item('constraint', 'No new dependencies.', { citation: 'c:4', rationale: 'Audits take weeks.' }),
      item('rejected', 'A rewrite.', { citation: 'c:5', rationale: 'Too long.' }),
      item('fact', 'The parser was split. It has three parts.', { citation: 'c:6' }),
    ];

    expect(linesOf(items, 1_000)).toEqual([
      'constraint: No new dependencies. (Audits take weeks.) [c:4]',
      'rejected: A rewrite. (Too long.) [c:5]',
      'number: Coverage is 61.4. [c:3]',
      'decision: Use two flags. [c:2]',
      'decision: Use flags. [c:1]',
      'fact: The parser was split. It has three parts. [c:6]',
    ]);
  });

  test('says once what was noted twice, and cites both', () => {
    const items = [item('risk', 'Scope creep', { citation: 'c:1' }), item('risk', 'Scope  creep', { citation: 'c:2' })];

    expect(digestItems(items, { budgetTokens: 100, count })).toEqual({ text: 'risk: Scope creep [c:2][c:1]', citations: ['c:2', 'c:1'] });
  });

  test('keeps apart what an agent says in the words of a record, and why', () => {
    const items = [
      item('number', '2 tests ran.', { citation: 'c:1', source: 'mechanical' }),
      item('number', '2 tests ran.', { citation: 'c:2', rationale: 'All are green.' }),
    ];

    expect(linesOf(items, 100)).toEqual(['number: 2 tests ran. (All are green.) [c:2]', 'number: 2 tests ran. [c:1]']);
  });

  test('keeps apart what differs in its letters: names do', () => {
    const items = [
      item('constraint', 'Call Max, not max.', { citation: 'c:1' }),
      item('constraint', 'Call max, not Max.', { citation: 'c:2' }),
    ];

    expect(linesOf(items, 100)).toEqual(['constraint: Call max, not Max. [c:2]', 'constraint: Call Max, not max. [c:1]']);
  });

  test('of items that have citations in their own words keeps every promise', () => {
    const items = [
      item('constraint', 'Ports stay closed, as [c:99] says', { citation: 'c:1' }),
      item('rejected', 'What [c:1]\nproposes', { citation: 'c:2', rationale: 'See [c:98, DESIGN]' }),
      item('fact', '[c:97]', { citation: 'c:3' }),
    ];
    const work = { items, budgetTokens: 1_000, count };

    expect(findSummaryFault(digestItems(items, work), work)).toBeUndefined();
  });

  test('has a number as a sentence of its own, and reasons after it', () => {
    const items = [item('number', 'The budget is 5', { citation: 'c:1', rationale: 'Million is for the year after.' })];
    const work = { items, budgetTokens: 1_000, count };

    expect(linesOf(items, 100)).toEqual(['number: The budget is 5. (Million is for the year after.) [c:1]']);
    expect(findSummaryFault(digestItems(items, work), work)).toBeUndefined();
  });

  test('of nothing is empty', () => {
    expect(digestItems([], { budgetTokens: 50, count })).toEqual({ text: '', citations: [] });
  });

  test('is the same for the same items in whatever order they come', () => {
    const items = Array.from({ length: 40 }, (_, index) =>
      item(index % 2 === 0 ? 'fact' : 'number', `Statement ${index}. And more of it.`),
    );

    expect(digestItems(items.toReversed(), { budgetTokens: 120, count })).toEqual(digestItems(items, { budgetTokens: 120, count }));
  });
});

describe('a small budget', () => {
  test.each([0, 1, 5, 10, 20, 50, 100, 200])('of %i tokens is never exceeded', (budgetTokens) => {
    const items = Array.from({ length: 60 }, (_, index) =>
      item(index % 3 === 0 ? 'constraint' : 'fact', `Statement ${index} holds. It has a reason. And a consequence.`, {
        rationale: 'Somebody said so.',
      }),
    );

    const { text, citations } = digestItems(items, { budgetTokens, count });

    expect(count(text)).toBeLessThanOrEqual(budgetTokens);
    expect(text === '' ? [] : text.split('\n').map((line) => /\[(c:\d+)\]$/.exec(line)![1])).toEqual(citations);
  });

  test('gives no place to others while a constraint has none', () => {
    const items = [item('constraint', 'one two three four five six seven eight'), item('fact', 'Short.')];

    expect(linesOf(items, 8)).toEqual(['']);
  });

  test('keeps the first sentence of a constraint that has no place as a whole', () => {
    const items = [
      item('constraint', 'Keep the interface. Callers in other houses depend on it and cannot be changed.', { citation: 'c:9' }),
    ];

    expect(linesOf(items, 8)).toEqual(['constraint: Keep the interface. … [c:9]']);
  });

  test('keeps the first sentences of several facts rather than all of one', () => {
    const items = [
      item('fact', 'First done. Then more.', { citation: 'c:1' }),
      item('fact', 'Second done. Then more.', { citation: 'c:2' }),
    ];

    expect(linesOf(items, 10)).toEqual(['fact: Second done. [c:2]', 'fact: First done. [c:1]']);
  });
});
