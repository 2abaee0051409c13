import { expect, test } from 'vitest';
import { backoffMs } from './backoff.ts';
import { bestSeeker, type Seeker } from './match-rules.ts';

const seeker = (agentId: string, capabilities: string[], { free = 1, capacity = 1, wanted = 1 } = {}): Seeker => ({
  agentId,
  agentName: agentId,
  sessionId: agentId,
  capabilities: new Set(capabilities),
  capacity,
  free,
  wanted,
});
const best = (seekers: Seeker[], ...capabilities: string[]) => bestSeeker(seekers, { capabilities })?.agentId;

test('who lacks a capability, a free slot or the wish is left out', () => {
  expect(best([seeker('a', ['js'])], 'js', 'python')).toBeUndefined();
  expect(best([seeker('a', ['js'], { free: 0 })], 'js')).toBeUndefined();
  expect(best([seeker('a', ['js'], { wanted: 0 })], 'js')).toBeUndefined();
});

test('the specialist comes before the one that can do more', () => {
  expect(best([seeker('a', ['js', 'python', 'go']), seeker('b', ['js'])], 'js')).toBe('b');
});

test('of two specialists the one with the larger share free, then the first by id', () => {
  expect(best([seeker('a', ['js'], { free: 1, capacity: 4 }), seeker('b', ['js'], { free: 1, capacity: 2 })], 'js')).toBe('b');
  expect(best([seeker('b', ['js']), seeker('a', ['js'])], 'js')).toBe('a');
});

test.each([
  [1, 1_000],
  [2, 2_000],
  [6, 32_000],
  [7, 60_000],
  [1_000, 60_000],
])('Q3 after %i attempts the back-off lies between 0 and %i ms', (used, mostMs) => {
  const limits = { backoffBaseMs: 1_000, backoffCapMs: 60_000 };

  expect(backoffMs(limits, used, 0)).toBe(0);
  expect(backoffMs(limits, used, 0.999_999_9)).toBe(mostMs - 1);
});
