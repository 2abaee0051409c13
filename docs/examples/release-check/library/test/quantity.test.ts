import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatNumber, parseNumber } from '../src/quantity.ts';

test('separators must be where they belong', () => {
  assert.equal(parseNumber('1,234,567.89'), 1_234_567.89);
  for (const text of ['1,23', '12,34,567', ',123', '1.2.3', 'NaN']) assert.equal(parseNumber(text), undefined);
});

test('zeros at the end are not written', () => {
  assert.equal(formatNumber(-1_234_567.1), '-1,234,567.1');
  assert.equal(formatNumber(2), '2');
});
