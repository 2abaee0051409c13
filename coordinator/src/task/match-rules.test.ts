import { expect, test } from 'vitest';
import { backoffMs } from './backoff.ts';
import { bestSeeker, listAgentObstacles, listFitObstacles, type Offer, type Seeker } from './match-rules.ts';

const seeker = (agentId: string, capabilities: string[], { free = 1, capacity = 1, wanted = 1 } = {}): Seeker => ({
  agentId,
  agentName: agentId,
  sessionId: agentId,
  capabilities,
  capacity,
  free,
  wanted,
});
const offer = (capabilities: string[], given: Partial<Offer> = {}): Offer => ({ capabilities, authorIds: [], reservedFor: null, ...given });
const best = (seekers: Seeker[], ...capabilities: string[]) => bestSeeker(seekers, offer(capabilities))?.agentId;

test('who lacks a capability, a free slot or the wish is left out', () => {
  expect(best([seeker('a', ['js'])], 'js', 'python')).toBeUndefined();
  expect(best([seeker('a', ['js'], { free: 0 })], 'js')).toBeUndefined();
  expect(best([seeker('a', ['js'], { wanted: 0 })], 'js')).toBeUndefined();
});

test('a need for a range of versions is met by a version within it', () => {
  expect(best([seeker('a', ['node@20.1.0']), seeker('b', ['node@24.2.0'])], 'node@>=22')).toBe('b');
});

test('the specialist comes before the one that can do more', () => {
  expect(best([seeker('a', ['js', 'python', 'go']), seeker('b', ['js'])], 'js')).toBe('b');
});

test('of two specialists the one with the larger share free, then the first by id', () => {
  expect(best([seeker('a', ['js'], { free: 1, capacity: 4 }), seeker('b', ['js'], { free: 1, capacity: 2 })], 'js')).toBe('b');
  expect(best([seeker('b', ['js']), seeker('a', ['js'])], 'js')).toBe('a');
});

test('the author is passed over, however well it fits', () => {
  const seekers = [seeker('author', ['js']), seeker('other', ['js', 'python'])];

  expect(bestSeeker(seekers, offer(['js'], { authorIds: ['author'] }))?.agentId).toBe('other');
});

test('what is reserved is for nobody else', () => {
  const seekers = [seeker('a', ['js']), seeker('b', ['js', 'python'])];

  expect(bestSeeker(seekers, offer(['js'], { reservedFor: 'b' }))?.agentId).toBe('b');
  expect(bestSeeker(seekers, offer(['js'], { reservedFor: 'away' }))).toBeUndefined();
});

test('all that keeps a task from an agent is told at once', () => {
  const task = offer(['python'], { authorIds: ['a'], reservedFor: 'b' });

  expect(listFitObstacles({ agentId: 'a', capabilities: ['js'] }, task)).toEqual([
    'capability_missing',
    'excluded_author',
    'reserved_for_other',
  ]);
});

test('all that keeps an agent from any task is told at once', () => {
  const agent = { state: 'draining', available: false, living: false, capacity: 1, running: 1 } as const;

  expect(listAgentObstacles(agent)).toEqual(['agent_draining', 'agent_unavailable', 'agent_lost', 'no_free_slot']);
  expect(listAgentObstacles({ ...agent, state: 'active', available: true, living: true, running: 0 })).toEqual([]);
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
