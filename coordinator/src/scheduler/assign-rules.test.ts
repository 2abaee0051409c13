import { expect, test } from 'vitest';
import { type Assignee, assignTasks } from './assign-rules.ts';

const agent = (agentId: string, given: Partial<Assignee> = {}): Assignee => ({
  agentId,
  agentName: agentId,
  capabilities: ['work'],
  capacity: 2,
  free: 2,
  isHealthy: true,
  ...given,
});
const task = (id: string, authorIds: string[] = []) => ({ id, capabilities: ['work'], authorIds, reservedFor: null });
const chosen = (tasks: ReturnType<typeof task>[], agents: Assignee[], limit = 10) =>
  assignTasks(tasks, agents, limit).map(({ task, assignee }) => [task.id, assignee.agentId]);

test('the healthy one with the larger share free comes first', () => {
  expect(chosen([task('t')], [agent('a', { isHealthy: false }), agent('b', { free: 1 }), agent('c')])).toEqual([['t', 'c']]);
});

test('tasks are spread over agents that are as good, and each gets no more than it has slots', () => {
  const tasks = ['1', '2', '3', '4', '5'].map((id) => task(id));

  expect(chosen(tasks, [agent('a'), agent('b')])).toEqual([
    ['1', 'a'],
    ['2', 'b'],
    ['3', 'a'],
    ['4', 'b'],
  ]);
});

test('an author is passed over, and so is a task that nobody may do', () => {
  expect(chosen([task('reviewed', ['a']), task('own', ['a', 'b']), task('free')], [agent('a'), agent('b', { isHealthy: false })])).toEqual([
    ['reviewed', 'b'],
    ['free', 'a'],
  ]);
});

test('no more tasks than asked for', () => {
  expect(chosen([task('1'), task('2')], [agent('a')], 1)).toEqual([['1', 'a']]);
});

test('the score is that of agent/search', () => {
  expect(assignTasks([task('t')], [agent('a', { capacity: 3, free: 3 })], 1)[0]?.score).toBe(1.55);
});
