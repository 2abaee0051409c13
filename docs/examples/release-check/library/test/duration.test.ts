import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatDuration, parseDuration } from '../src/duration.ts';

test('units add up', () => {
  assert.equal(parseDuration('1d 2h 3m 4s 5ms'), 93_784_005);
});

test('what is not a duration as a whole is not read at all', () => {
  for (const text of ['', '5', '5x', '1h later', 'about 1h']) assert.equal(parseDuration(text), undefined);
});

test('a written duration reads back', () => {
  for (const ms of [1, 999, 60_000, 5_400_000, 93_784_005]) assert.equal(parseDuration(formatDuration(ms)), ms);
});
