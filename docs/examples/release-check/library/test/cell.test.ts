import assert from 'node:assert/strict';
import { test } from 'node:test';
import { detectType, parseCell } from '../src/cell.ts';

test('a text is of the narrowest type that fits', () => {
  const types = ['', '1,000', '2m', '1.2.3', '2024-02-29', '2023-02-29'].map(detectType);

  assert.deepEqual(types, ['empty', 'number', 'duration', 'version', 'date', 'text']);
});

test('dates are days in UTC', () => {
  assert.equal(parseCell('1970-01-02', 'date'), 86_400_000);
});
