import { expect, test } from 'vitest';
import { itemOf } from './item-fixture.ts';
import { rankItems } from './rank-items.ts';

const cart = itemOf(1, 'fact', 'It rounds.', { references: [{ kind: 'file', value: 'src/cart.ts' }] });
const newer = itemOf(2, 'fact', 'It is blue.', { references: [{ kind: 'file', value: 'src/paint.ts' }] });
const firstFor = (query: string) => rankItems([cart, newer], { phases: ['DESIGN'], query, relevance: new Map() })[0]!.citation;

test.each([
  'src/cart.ts',
  'mend cart.ts.',
  'at src/cart.ts:12',
  'at src/cart.ts:12:7',
  'src/cart.ts:12-20 fails',
  'see src/cart.ts#L12',
  '(src/cart.ts:12):',
])('what speaks of a file that is named comes first: %s', (query) => {
  expect(firstFor(query)).toBe('c:1');
});

test.each(['', 'cart', 'src/cart.tsx:12', 'src/cart'])('what names another file, or none, changes nothing: "%s"', (query) => {
  expect(firstFor(query)).toBe('c:2');
});

test('how near and how new an item is decides between what answers the query equally well, and nothing more', () => {
  const items = [1, 2, 3, 4].map((number) => itemOf(number, 'fact', `Fact ${number}.`, { phase: number < 3 ? 'DESIGN' : 'TESTING' }));
  const order = (relevance: Readonly<Record<string, number>>) =>
    rankItems(items, { phases: ['DESIGN', 'TESTING'], query: 'fact', relevance: new Map(Object.entries(relevance)) }).map(
      ({ citation }) => citation,
    );

  expect(order({ 'c:1': 1, 'c:2': 0.95, 'c:3': 0.9, 'c:4': 0.9 })).toEqual(['c:1', 'c:2', 'c:4', 'c:3']);
  expect(order({ 'c:1': 0.1 })).toEqual(['c:1', 'c:4', 'c:3', 'c:2']);
  expect(order({})).toEqual(['c:4', 'c:3', 'c:2', 'c:1']);
});
