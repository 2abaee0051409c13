import { expect, test } from 'vitest';
import { findCycle } from '../plan/cycle.ts';
import { findNearest, suggest } from './nearest.ts';

test.each([
  ['TESTNG', ['TESTING', 'DESIGN'], 'TESTING'],
  ['desing', ['TESTING', 'DESIGN'], 'DESIGN'],
  ['x', ['TESTING', 'DESIGN'], undefined],
  ['q', ['a', 'b'], undefined],
  ['a', ['A'], 'A'],
  ['a', [], undefined],
])('the word nearest to %s among %j is %s', (word, words, nearest) => expect(findNearest(word, words)).toBe(nearest));

test('a suggestion lists what there is', () => expect(suggest('tset', ['test', 'lint'])).toBe('; it has test, lint; did you mean test?'));

test('a suggestion names each word once', () => expect(suggest('q', ['a', 'c', 'c'])).toBe('; it has a, c'));

test('a cycle is told in order, whatever leads to it', () => {
  const edges = new Map([
    ['start', ['a']],
    ['a', ['b']],
    ['b', ['c', 'end']],
    ['c', ['a']],
  ]);

  expect(findCycle(edges)).toEqual(['a', 'b', 'c']);
});

test('a long chain is no cycle', () => {
  const edges = new Map(Array.from({ length: 20_000 }, (_, index) => [`${index}`, [`${index + 1}`]] as const));

  expect(findCycle(edges)).toBeUndefined();
});
