import { type ContextItem, contextKinds } from '@baton/protocol';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { makeItem } from '../plugin-testing/make-case.ts';
import { coveredKinds, findSummaryFault } from './check-summary.ts';

// Always the same cases, so that they fail for what was changed.
fc.configureGlobal({ seed: 20_261_123 });

/** Words, figures, line breaks, brackets, and citations that the text of an item has by itself. */
const word = fc.oneof(
  fc.lorem({ maxCount: 3 }),
  fc.constantFrom(
    '5',
    '-5',
    '15',
    '61.4',
    '1,000',
    'five',
    '一切',
    '支付卡号',
    '不得。',
    '🚫',
    '(',
    '- ',
    '80 %',
    '[c:1]',
    '[c:2, c:3]',
    '[c:99]',
    '[',
    ']',
    'c:1',
    '\n',
    '[c:4,\nDESIGN]',
    '…',
  ),
  fc.string({ maxLength: 8, unit: 'grapheme' }),
);
const text = fc.array(word, { minLength: 1, maxLength: 12 }).map((words) => `Say ${words.join(' ')}`);
const items = fc
  .array(fc.record({ kind: fc.constantFrom(...contextKinds), text }), { minLength: 1, maxLength: 12 })
  .map((given) => given.map(makeItem));
/** Items, and the number of one of them. */
const withOne = items.chain((all) => fc.tuple(fc.constant(all), fc.nat(all.length - 1)));

const writeLine = ({ kind, text: said, citation }: ContextItem) => `${kind}: ${said.replaceAll(/\s+/g, ' ').trim()} [${citation}]`;
const judge = (lines: readonly string[], all: readonly ContextItem[], budgetTokens = 100_000) =>
  findSummaryFault({ text: lines.join('\n'), citations: [] }, { items: all, budgetTokens, count: (said) => said.length });
const isDue = ({ kind }: ContextItem) => coveredKinds.includes(kind);

describe('whatever the items say', () => {
  test('a line for each, word for word with its citation, keeps every promise', () => {
    fc.assert(
      fc.property(items, (all) => {
        expect(judge(all.map(writeLine), all)).toBeUndefined();
      }),
    );
  });

  test('a line that is left out is missed if it has to be covered, and only then', () => {
    fc.assert(
      fc.property(withOne, ([all, index]) => {
        const left = all[index] as ContextItem;
        const lines = all.filter((each) => each !== left).map(writeLine);

        expect(judge(lines, all)?.startsWith(`The summary leaves out ${left.citation} (`) ?? false).toBe(isDue(left));
      }),
    );
  });

  test('a figure that was changed is found', () => {
    fc.assert(
      fc.property(withOne, fc.constantFrom('1', '9'), ([all, index], digit) => {
        const changed = all.map((each, at) => (at === index ? { ...each, kind: 'number' as const, text: '5 of 61.4' } : each));
        const lines = changed.map(writeLine).map((line, at) => (at === index ? line.replace('5 of', `${digit}5 of`) : line));

        expect(judge(lines, changed)).toBe(
          `The summary leaves out c:${index + 1} (number): it has to carry each as a sentence of its own, word for word with its citation, or, where it has no number, cite it on a line with half of its words.`,
        );
      }),
    );
  });

  test('a word beside a figure that was changed is found', () => {
    fc.assert(
      fc.property(withOne, fc.nat(6), ([all, index], place) => {
        const said = ['No', 'queue', 'has', 'more', 'than', '5', 'entries'];
        const changed = all.map((each, at) => (at === index ? { ...each, kind: 'constraint' as const, text: said.join(' ') } : each));
        const other = said.with(place, 'other').join(' ');
        const lines = changed.map(writeLine).map((line, at) => (at === index ? line.replace(said.join(' '), other) : line));

        expect(judge(lines, changed)).toMatch(new RegExp(`^The summary leaves out c:${index + 1} \\(constraint\\):`));
      }),
    );
  });

  test('a line without a source, one with an invented source, and one with what no longer holds are found', () => {
    fc.assert(
      fc.property(withOne, ([all, index]) => {
        const lines = all.map(writeLine);
        const givenUp = all.map((each, at) => (at === index ? { ...each, superseded: { reason: 'No.', at: '' } } : each));

        expect(judge([...lines, 'All is well.'], all)).toMatch(/"All is well\." without a source/);
        expect(judge([...lines, 'All is well. [c:1000]'], all)).toMatch(/cites c:1000, which is not among the items/);
        expect(judge(lines, givenUp)).toMatch(new RegExp(`cites c:${index + 1}, which no longer holds`));
      }),
    );
  });

  test('what is over the budget is refused, what is just within is not', () => {
    fc.assert(
      fc.property(items, (all) => {
        const lines = all.map(writeLine);
        const { length } = lines.join('\n');

        expect(judge(lines, all, length)).toBeUndefined();
        expect(judge(lines, all, length - 1)).toBe(`The summary has ${length} tokens, of ${length - 1} allowed.`);
      }),
    );
  });
});
