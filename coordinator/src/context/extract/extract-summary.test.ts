import { type ContextItem, type ContextKind, contextKinds } from '@baton/protocol';
import { coveredKinds, findUncovered } from '@baton/sdk/plugin';
import { countTokens } from '@baton/sdk/plugin/host';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { extractSummary } from './extract-summary.ts';

// Always the same cases, so that they fail for what was changed.
fc.configureGlobal({ seed: 20_261_123 });

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

test('what an agent says in the words of a record stands apart from it, with its reasons', () => {
  const items = [
    item(1, 'fact', 'The gate failed.', { source: 'mechanical' }),
    item(2, 'fact', 'The gate failed.', { rationale: 'By chance.' }),
  ];

  const lines = extract(items).text.split('\n');
  expect(lines.filter((line) => line.includes('[c:1]'))).toEqual([expect.not.stringContaining('By chance.')]);
});

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

  test('each line is made of sentences of the items that it cites, their first one first and their reasons in brackets', () => {
    const segmenter = new Intl.Segmenter('en', { granularity: 'sentence' });
    const listSentences = (text: string) =>
      Array.from(segmenter.segment(flatten(text)), ({ segment }) => segment.trim()).filter((each) => each !== '');
    const isMadeOf = (text: string, sentences: readonly string[]): boolean =>
      text === '' || sentences.some((each) => text.startsWith(each) && isMadeOf(text.slice(each.length).trim(), sentences));
    fc.assert(
      fc.property(items, budget, (items, budgetTokens) => {
        for (const line of extract(items, budgetTokens).text.split('\n').filter(Boolean)) {
          const [, kind, said, reasons = '', brackets] = /^(\w+): (.*?)(?: \((.*)\))? ((?:\[c:\d+\])+)$/.exec(line)!;
          const cited = items.filter(({ citation }) => brackets!.includes(`[${citation}]`));
          const sentences = listSentences(cited[0]!.text);

          const given = cited.flatMap(({ rationale = '' }) => listSentences(rationale));
          const isTrue = said!.startsWith(sentences[0]!) && isMadeOf(said!, sentences) && isMadeOf(reasons, given);
          expect({ line, isTrue }).toEqual({ line, isTrue: true });
          expect(cited.every((each) => each.kind === kind && flatten(each.text) === flatten(cited[0]!.text))).toBe(true);
        }
      }),
    );
  });

  test('what has to be covered is, where there is room, whatever it ends with and whatever its reasons begin with', () => {
    const end = fc.constantFrom('', '.', ',', ' ；', '…', ' 5', ' (5)', ' 5.)', ' -', '"', ' |', ' [c:1]', '。');
    const reasons = fc.option(fc.constantFrom('5', '(5)', 'Million.', '- 5', '"5"', '；'), { nil: undefined });
    fc.assert(
      fc.property(fc.array(fc.tuple(text, end, reasons), { minLength: 1, maxLength: 4 }), (given) => {
        const due = given.map(([said, ending, rationale], index) =>
          item(index + 1, 'number', `${said.slice(0, -1)}${ending}`, rationale === undefined ? {} : { rationale }),
        );

        expect(findUncovered(extract(due, 100_000).text, due)).toEqual([]);
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
    'rejected: A rewrite. (Too long.) [c:4]',
    'number: Coverage is 61.4. [c:2]',
    'fact: The queue is read in order. [c:1]',
  ]);
});

test.each(['Million is for the year after.', '3 were asked for.'])('reasons stand after a sentence of its own: %s', (rationale) => {
  const items = [item(1, 'number', 'The budget is 5', { rationale })];

  const { text } = extract(items);

  expect(text).toBe(`number: The budget is 5. (${rationale}) [c:1]`);
  expect(findUncovered(text, items)).toEqual([]);
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

test('a sentence that says nothing by itself brings the one before it', () => {
  const items = [
    item(1, 'decision', 'Refunds wait in a queue.', { rationale: 'So the limit of the bank is kept.' }),
    item(2, 'fact', 'The bank has a limit. The limit of the bank is kept by the queue of refunds.'),
  ];

  expect(extract(items, 45).text.split('\n')).toEqual([
    expect.stringMatching(/^decision: Refunds wait in a queue\./),
    expect.stringMatching(/^fact: The bank has a limit\./),
  ]);
});

test('all reasons for what is said several times stand beside it', () => {
  const items = [
    item(1, 'decision', 'Use PostgreSQL.', { rationale: 'It locks rows.' }),
    item(2, 'decision', 'Use PostgreSQL.', { rationale: 'We know it.' }),
    item(3, 'decision', 'Use PostgreSQL.'),
  ];

  expect(extract(items).text).toBe('decision: Use PostgreSQL. (We know it. It locks rows.) [c:3][c:2][c:1]');
});

test('what looks like the end of a sentence within a word is none', () => {
  const said = 'The gate ran `node -e process.exit(length>0?0:3)`: fail';

  expect(extract([item(1, 'fact', said)]).text).toBe(`fact: ${said} [c:1]`);
});

test('among thousands of facts the decision and the risk are named', () => {
  const facts = Array.from({ length: 5_000 }, (_, index) => item(index + 3, 'fact', `Fact ${index} tells of part ${index % 70}.`));
  const items = [item(1, 'decision', 'Use feature flags.'), item(2, 'risk', 'Scope creep.'), ...facts];

  const { text } = extract(items, 800);

  expect(text).toContain('decision: Use feature flags. [c:1]');
  expect(text).toContain('risk: Scope creep. [c:2]');
});

test('of nothing it is nothing', () => {
  expect(extract([])).toEqual({ text: '', citations: [] });
});
