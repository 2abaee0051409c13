import { expect, test } from 'vitest';
import { chooseReopened, type SkippedTask } from './retry-rules.ts';

const skipped = (id: string, ...heldBy: readonly string[]): SkippedTask => ({ id, heldBy });

test('what was skipped because of the task alone is reopened, and what was skipped because of that in turn', () => {
  expect(chooseReopened('a', [skipped('b', 'a'), skipped('c', 'b', 'a')])).toEqual(['b', 'c']);
});

test('what another unsuccessful task holds back is not reopened, nor what waits for that', () => {
  expect(chooseReopened('a', [skipped('b', 'a'), skipped('c', 'b', 'x'), skipped('d', 'b', 'c'), skipped('e', 'd')])).toEqual(['b']);
});

test('the task itself is retried whatever held it back', () => {
  expect(chooseReopened('a', [skipped('b', 'a')])).toEqual(['b']);
});

test('a chain of 100,000 that is held back at its far end is walked once', () => {
  const length = 100_000;
  const chain = Array.from({ length }, (_, index) => skipped(`t${index}`, 'a', index === length - 1 ? 'x' : `t${index + 1}`));

  expect(chooseReopened('a', chain)).toEqual([]);
});
