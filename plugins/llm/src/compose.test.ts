import { findSummaryFault } from '@baton/sdk/plugin';
import { makeItem } from '@baton/sdk/plugin/testing';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compose } from './compose.ts';

// Always the same cases, so that they fail for what was changed.
fc.configureGlobal({ seed: 20_261_123 });

const count = (text: string) => text.length;

const text = fc
  .array(fc.oneof(fc.lorem({ maxCount: 3 }), fc.constantFrom('5', '15', '61.4', '[c:1]', '[c:2, c:99]', '[see c:3]', '[', ']', '\n')), {
    minLength: 1,
    maxLength: 8,
  })
  .map((words) => words.join(' '));
const kind = fc.constantFrom('constraint', 'rejected', 'number', 'fact', 'decision');
const items = fc
  .array(fc.record({ kind, text: text.map((said) => `Say ${said}`) }), { minLength: 1, maxLength: 8 })
  .map((given) => given.map(makeItem));
const citation = fc.oneof(
  fc.integer({ min: 1, max: 9 }).map((number) => `c:${number}`),
  fc.constantFrom('[c:1]', 'c:99', 'nonsense', '', 'c:1, c:2', 'c:1]\n[c:99'),
);
const statements = fc.array(fc.record({ text, citations: fc.array(citation, { maxLength: 3 }) }), { maxLength: 8 });

test('whatever the model says, and whatever the items say, the summary keeps its promises where it has room', () => {
  fc.assert(
    fc.property(items, statements, (all, said) => {
      const work = { items: all, budgetTokens: 1_000_000, count };

      expect(findSummaryFault(compose(said, work), work)).toBeUndefined();
    }),
  );
});

test('the budget is kept, and what has to be covered goes before the rest', () => {
  fc.assert(
    fc.property(items, statements, fc.nat(400), (all, said, budgetTokens) => {
      const summary = compose(said, { items: all, budgetTokens, count });

      expect(count(summary.text)).toBeLessThanOrEqual(budgetTokens);
      expect(findSummaryFault(summary, { items: all, budgetTokens, count }) ?? 'leaves out').toContain('leaves out');
    }),
  );
});

test('a statement without words is left out, and what it cites is carried', () => {
  const all = [{ kind: 'rejected' as const, text: 'A rewrite.' }].map(makeItem);

  const { text } = compose([{ text: ' - [c:1]', citations: ['c:1'] }], { items: all, budgetTokens: 100, count });

  expect(text).toBe('rejected: A rewrite. [c:1]');
});
