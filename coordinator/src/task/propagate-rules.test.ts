import { expect, test } from 'vitest';
import { judgeDependents, type Link } from './propagate-rules.ts';

const link = (taskId: string, dependsOnId: string, skips = true): Link => ({ taskId, dependsOnId, skips, title: taskId.toUpperCase() });
const failed = (...ids: readonly string[]) => ids.map((id) => ({ id, reason: `${id} failed` }));

test('what waits for a failed task is skipped with the reason, and what waits for that in turn', () => {
  expect(judgeDependents(failed('a'), [link('b', 'a'), link('c', 'b')])).toEqual([
    { id: 'b', reason: 'a failed' },
    { id: 'c', reason: 'B was skipped' },
  ]);
});

test('a task that runs all the same is not skipped, nor is what waits for it', () => {
  expect(judgeDependents(failed('a'), [link('b', 'a', false), link('c', 'b')])).toEqual([]);
});

test('of several causes the nearest is told, and of those equally near the one with the lowest id', () => {
  const links = [link('c', 'b'), link('d', 'c'), link('d', 'b'), link('d', 'a')];

  expect(judgeDependents(failed('b', 'a'), links)).toEqual([
    { id: 'd', reason: 'a failed' },
    { id: 'c', reason: 'b failed' },
  ]);
});

test('each is skipped once, however many ways lead to it', () => {
  const links = [link('b', 'a'), link('c', 'a'), link('d', 'b'), link('d', 'c')];

  expect(judgeDependents(failed('a'), links).map(({ id }) => id)).toEqual(['b', 'c', 'd']);
});

test('a chain of 100,000 is walked', () => {
  const links = Array.from({ length: 100_000 }, (_, index) => link(`t${index + 1}`, `t${index}`));

  expect(judgeDependents(failed('t0'), links)).toHaveLength(100_000);
});
