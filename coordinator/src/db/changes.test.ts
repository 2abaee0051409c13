import { expect, test, vi } from 'vitest';
import { type Change, createChanges } from './changes.ts';

function setUp() {
  const errors: unknown[] = [];
  const changes = createChanges({ error: (...told: unknown[]) => void errors.push(told) });
  const heard: Change[] = [];
  return { errors, changes, heard };
}

test('a listener that throws is logged, and the others hear of the change', () => {
  const { changes, errors, heard } = setUp();
  changes.onChange(() => {
    throw new Error('no');
  });
  changes.onChange((change) => void heard.push(change));

  changes.tell({ projectId: 'p', events: true });

  expect(heard).toEqual([{ projectId: 'p', events: true }]);
  expect(errors).toHaveLength(1);
});

test('every moment is told once, by one timer for the earliest', () => {
  vi.useFakeTimers();
  const { changes, heard } = setUp();
  changes.onChange((change) => void heard.push(change));
  const toldAfter = (ms: number) => {
    vi.advanceTimersByTime(ms);
    return heard.splice(0).length;
  };

  for (const delayMs of [300, 100, 200, 100, 300]) changes.tellTasksIn('p', delayMs);
  const timers = vi.getTimerCount();
  const told = [toldAfter(90), toldAfter(20), toldAfter(80), toldAfter(20), toldAfter(80), toldAfter(20), toldAfter(1_000)];
  vi.useRealTimers();

  expect(timers).toBe(1);
  expect(told).toEqual([0, 1, 0, 1, 0, 1, 0]);
});

test('nothing is told later once they have been stopped', () => {
  vi.useFakeTimers();
  const { changes, heard } = setUp();
  changes.onChange((change) => void heard.push(change));

  changes.tellTasksIn('p', 10);
  changes.stop();
  changes.tellTasksIn('p', 10);
  vi.advanceTimersByTime(1_000);
  vi.useRealTimers();

  expect(heard).toEqual([]);
});
