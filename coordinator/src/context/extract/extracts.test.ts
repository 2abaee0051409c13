import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { countTokens } from '@baton/sdk/plugin/host';
import { itemOf } from '../item-fixture.ts';
import { createExtracts } from './extracts.ts';

const extractOf = (number: number) => ({
  digest: `digest ${number}`,
  budgetTokens: 100,
  items: [itemOf(number, 'fact', `Fact ${number}.`)],
});

test('between two of many that are asked for at once others have their turn', async () => {
  const extracts = createExtracts(countTokens);
  const order: string[] = [];
  const writing = [1, 2, 3].map(async (number) => order.push(await extracts.write(extractOf(number))));

  while (order.filter((each) => each !== 'others').length < 3) {
    await nextTurn();
    order.push('others');
  }
  await Promise.all(writing);

  const [first, second, third] = [1, 2, 3].map((number) => order.indexOf(`fact: Fact ${number}. [c:${number}]`));
  expect(order.slice(first, second)).toContain('others');
  expect(order.slice(second, third)).toContain('others');
});

test('one that cannot be written keeps no other from being written, and is written anew', async () => {
  let isBroken = true;
  const extracts = createExtracts((text) => {
    if (isBroken) throw new Error('The counter is broken.');
    return countTokens(text);
  });
  await expect(extracts.write(extractOf(1))).rejects.toThrow('broken');

  isBroken = false;

  expect(await extracts.write(extractOf(2))).toBe('fact: Fact 2. [c:2]');
  expect(await extracts.write(extractOf(1))).toBe('fact: Fact 1. [c:1]');
});

test('for the same items it is made once', async () => {
  const extracts = createExtracts(countTokens);

  expect(extracts.write(extractOf(1))).toBe(extracts.write(extractOf(1)));
});
