import assert from 'node:assert/strict';
import { test } from 'node:test';
import { displayWidth, truncate } from '../src/width.ts';

test('wide characters take two columns and marks take none', () => {
  assert.equal(displayWidth('日本'), 4);
  assert.equal(displayWidth('e\u0301'), 1);
});

test('a text is cut in front of the character that does not fit', () => {
  assert.equal(truncate('日本語', 5), '日本…');
  assert.equal(truncate('abc', 3), 'abc');
  assert.equal(truncate('abc', 0), '');
});
