import { type ContextItem, type ContextKind, contextKinds } from '@baton/protocol';
import { coveredKinds, findUncovered } from '@baton/sdk/plugin';
import { countTokens } from '@baton/sdk/plugin/host';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { extractSummary } from './extract-summary.ts';

const item = (number: number, kind: ContextKind, text: string, more: Partial<ContextItem> = {}): ContextItem => ({
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
  ...more,
});
const extract = (items: readonly ContextItem[], budgetTokens = 1_000) => extractSummary({ items, budgetTokens, count: countTokens });
const flatten = (text: string) => text.replaceAll(/\s+/g, ' ').trim();

const word = fc.constantFrom('the', 'parser', 'queue', 'limit', 'index', '61.4', 'fails', 'before', 'ümlaut', '🙂', 'cache', '\n');
const sentence = fc.array(word, { minLength: 1, maxLength: 12 }).map((words) => `${words.join(' ')}.`);
const text = fc.array(sentence, { minLength: 1, maxLength: 4 }).map((sentences) => sentences.join(' '));
const items = fc
  .array(
    fc.record({ kind: fc.constantFrom(...contextKinds), text, rationale: fc.option(text, { nil: undefined }), pinned: fc.boolean() }),
    {
      maxLength: 30,
    },
  )
  .map((given) =>
    given.map(({ kind, text, pinned, rationale }, index) =>
      item(index + 1, kind, text, { pinned, ...(rationale !== undefined && { rationale }) }),
    ),
  );
const budget = fc.integer({ min: 1, max: 400 });

describe('whatever the items and the budget', () => {
  test('the budget is never exceeded, and no item is cited that is not there', () => {
    fc.assert(
      fc.property(items, budget, (items, budgetTokens) => {
        const { text, citations } = extract(items, budgetTokens);

        expect(countTokens(text)).toBeLessThanOrEqual(budgetTokens);
        expect(items.map(({ citation }) => citation)).toEqual(expect.arrayContaining(citations));
      }),
    );
  });

  test('the text is the same, in whatever order the items come', () => {
    fc.assert(
      fc.property(items, budget, (items, budgetTokens) => {
        expect(extract(items.toReversed(), budgetTokens)).toEqual(extract(items, budgetTokens));
      }),
    );
  });

  test('each line is made of sentences of the items that it cites', () => {
    const segmenter = new Intl.Segmenter('en', { granularity: 'sentence' });
    const listSentences = (text: string) => Array.from(segmenter.segment(flatten(text)), ({ segment }) => segment.trim());
    fc.assert(
      fc.property(items, budget, (items, budgetTokens) => {
        for (const line of extract(items, budgetTokens).text.split('\n').filter(Boolean)) {
          const [, kind, said, brackets] = /^(\w+): (.*?) ((?:\[c:\d+\])+)$/.exec(line)!;
          const cited = items.filter(({ citation }) => brackets!.includes(`[${citation}]`));
          const sentences = cited.flatMap(({ text, rationale = '' }) => [...listSentences(text), ...listSentences(rationale)]);
          let rest = said!;
          while (rest !== '') {
            const found = sentences.filter((one) => one !== '' && rest.startsWith(one)).toSorted((a, b) => b.length - a.length)[0];
            expect(found, `${rest} in ${line}`).toBeDefined();
            rest = rest.slice(found!.length).trim();
          }
          expect(cited.every((each) => each.kind === kind)).toBe(true);
        }
      }),
    );
  });

  test('nothing else has room while a constraint, a rejected alternative or a number has none', () => {
    fc.assert(
      fc.property(items, budget, (items, budgetTokens) => {
        const { text, citations } = extract(items, budgetTokens);
        const others = items.filter(({ citation, kind }) => citations.includes(citation) && !coveredKinds.includes(kind));

        expect(findUncovered(text, items).length === 0 || others.length === 0).toBe(true);
      }),
    );
  });
});

test('constraints, rejected alternatives and numbers stand first, word for word', () => {
  const items = [
    item(1, 'fact', 'The queue is read in order.'),
    item(2, 'number', 'Coverage is 61.4.'),
    item(3, 'constraint', 'No new dependencies.  Audits take weeks.'),
    item(4, 'rejected', 'A rewrite.', { rationale: 'Too long.' }),
  ];

  expect(extract(items).text.split('\n')).toEqual([
    'constraint: No new dependencies. Audits take weeks. [c:3]',
    'rejected: A rewrite. Too long. [c:4]',
    'number: Coverage is 61.4. [c:2]',
    'fact: The queue is read in order. [c:1]',
  ]);
});

test('of sentences that say the same, one is taken before another of its kind is said again', () => {
  const items = [
    item(1, 'fact', 'The parser reads the file in blocks of one page.'),
    item(2, 'fact', 'The parser reads the file in blocks of a page.'),
    item(3, 'fact', 'The parser keeps an index of every block it has seen.'),
    item(4, 'fact', 'Invoices go out on Fridays.'),
  ];
  const { citations } = extract(items, 34);

  expect(citations).toHaveLength(2);
  expect(citations).not.toEqual(['c:2', 'c:1']);
});

test('what several items say is said once and cites all of them', () => {
  const items = [item(1, 'risk', 'Scope  creep.'), item(2, 'risk', 'Scope creep.')];

  expect(extract(items)).toEqual({ text: 'risk: Scope creep. [c:2][c:1]', citations: ['c:2', 'c:1'] });
});

test('of nothing it is nothing', () => {
  expect(extract([])).toEqual({ text: '', citations: [] });
});
