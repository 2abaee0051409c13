import { expect, test } from 'vitest';
import { createTokenHolders } from './token-holders.ts';

test('those whose token is accepted no more are ended, and nobody else', () => {
  const holders = createTokenHolders();
  const ended: string[] = [];
  holders.add('a', () => ended.push('a1'));
  holders.add('a', () => ended.push('a2'));
  holders.add('b', () => ended.push('b'));

  holders.end(['a', 'unknown']);

  expect(ended).toEqual(['a1', 'a2']);
});

test('who has left is asked after no more, also when it leaves while it is ended', () => {
  const holders = createTokenHolders();
  const leave = holders.add('a', () => leave());
  const other = holders.add('b', () => {});

  holders.end(['a']);
  other();
  other();

  expect(holders.tokenIds()).toEqual([]);
});

test('a token that comes back is a new one to whoever left before', () => {
  const holders = createTokenHolders();
  const leave = holders.add('a', () => {});
  leave();
  holders.add('a', () => {});

  leave();

  expect(holders.tokenIds()).toEqual(['a']);
});
