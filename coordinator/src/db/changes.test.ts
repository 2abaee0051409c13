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
