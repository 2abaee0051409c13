import { expect, test } from 'vitest';
import { createSuspicions } from './suspicions.ts';

const [first, second] = [
  { taskId: 'first', attempt: 1 },
  { taskId: 'second', attempt: 1 },
];

function open() {
  const clock = { ms: 0 };
  const suspicions = createSuspicions(() => clock.ms);
  return { at: (ms: number, ...missed: (typeof first)[]) => ((clock.ms = ms), suspicions.confirm('s', missed, 100)), suspicions };
}

test('what one beat misses is not lost yet; what the next misses too is', () => {
  const { at } = open();

  expect([at(0, first), at(100, first), at(200, first)]).toEqual([[], [first], []]);
});

test('beats that come too soon after one another count as one', () => {
  const { at } = open();

  expect([at(0, first), at(50, first), at(99, first), at(100, first)]).toEqual([[], [], [], [first]]);
});

test('what a beat names is suspected no more', () => {
  const { at } = open();

  expect([at(0, first, second), at(100, second), at(200, first)]).toEqual([[], [second], []]);
});

test('of a session that has ended nothing is suspected', () => {
  const { at, suspicions } = open();
  at(0, first);

  suspicions.forget('s');

  expect(at(100, first)).toEqual([]);
});
