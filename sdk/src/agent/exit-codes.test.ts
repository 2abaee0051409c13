import { expect, test } from 'vitest';
import { meaningOf } from './exit-codes.ts';

test.each([
  [0, 'success'],
  [1, 'retryable'],
  [2, 'retryable'],
  [63, 'retryable'],
  [64, 'permanent'],
  [74, 'permanent'],
  [75, 'retryable'],
  [76, 'permanent'],
  [78, 'permanent'],
  [79, 'retryable'],
  [127, 'retryable'],
] as const)('exit code %i means %s', (code, meaning) => {
  expect(meaningOf(code)).toBe(meaning);
});

test('a listed code means what its list says', () => {
  const codes = { success: [0, 3], retryable: [65], permanent: [1, 75] };

  expect([0, 3, 65, 1, 75].map((code) => meaningOf(code, codes))).toEqual(['success', 'success', 'retryable', 'permanent', 'permanent']);
});
