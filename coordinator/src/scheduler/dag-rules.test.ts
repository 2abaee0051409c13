import type { TaskState } from '@baton/protocol';
import { expect, test } from 'vitest';
import { analyseGraph, type GraphNode } from './dag-rules.ts';

const node = (taskId: string, dependsOn: string[] = [], given: Partial<GraphNode> = {}): GraphNode => ({
  taskId,
  dependsOn,
  type: 'work',
  state: dependsOn.length === 0 ? 'ready' : 'blocked',
  ranMs: null,
  waitMs: 0,
  ...given,
});
const done = (taskId: string, type: string, ranMs: number): GraphNode => node(taskId, [], { type, ranMs, state: 'completed' });

test('no task, no level, no path', () => {
  expect(analyseGraph([])).toMatchObject({ levels: [], criticalPath: { taskIds: [], remainingMs: undefined } });
});

test('D4 the levels of a diamond are its batches', () => {
  const { levels, levelOf } = analyseGraph([node('t4', ['t2', 't3']), node('t2', ['t1']), node('t3', ['t1']), node('t1')]);

  expect(levels).toEqual([['t1'], ['t2', 't3'], ['t4']]);
  expect(levelOf.get('t4')).toBe(2);
});

test('a task is behind the longest of its chains', () => {
  const { levels } = analyseGraph([node('a'), node('b', ['a']), node('c', ['b']), node('d', ['a', 'c'])]);

  expect(levels).toEqual([['a'], ['b'], ['c'], ['d']]);
});

test('before anything is known the path with the most tasks is the critical one', () => {
  const { criticalPath } = analyseGraph([
    node('a'),
    node('b', ['a']),
    node('x'),
    node('y', ['x']),
    node('c', ['b']),
    node('z', ['y', 'c']),
  ]);

  expect(criticalPath).toEqual({ taskIds: ['a', 'b', 'c', 'z'], remainingMs: undefined });
  expect(analyseGraph([node('lone'), node('x'), node('y', ['x'])]).criticalPath.taskIds).toEqual(['x', 'y']);
});

test('what is known of durations outweighs the number of tasks', () => {
  const nodes = [
    done('d1', 'slow', 900),
    done('d2', 'slow', 1_100),
    done('d3', 'quick', 10),
    node('long', [], { type: 'slow' }),
    node('a', [], { type: 'quick' }),
    node('b', ['a'], { type: 'quick' }),
  ];

  expect(analyseGraph(nodes).criticalPath).toEqual({ taskIds: ['long'], remainingMs: 1_000 });
});

test('of a type that was never done the mean of all is expected', () => {
  expect(analyseGraph([done('d', 'other', 40), done('e', 'another', 60), node('a')]).criticalPath.remainingMs).toBe(50);
});

test('what has run already is not still to come', () => {
  const running = node('a', [], { state: 'running', ranMs: 30 });
  const late = node('a', [], { state: 'running', ranMs: 5_000 });

  expect(analyseGraph([done('d', 'work', 100), running, node('b', ['a'])]).criticalPath).toEqual({ taskIds: ['a', 'b'], remainingMs: 170 });
  expect(analyseGraph([done('d', 'work', 100), late]).criticalPath).toEqual({ taskIds: ['a'], remainingMs: 0 });
});

test('the wait for its time is still to come, beside what it waits for', () => {
  const late = [done('d', 'work', 100), node('a'), node('b', ['a'], { waitMs: 5_000 }), node('c', ['b']), node('x', [], { waitMs: 60 })];

  expect(analyseGraph(late).criticalPath).toEqual({ taskIds: ['b', 'c'], remainingMs: 5_200 });
  expect(analyseGraph([done('d', 'work', 100), node('a'), node('b', ['a'], { waitMs: 60 })]).criticalPath).toEqual({
    taskIds: ['a', 'b'],
    remainingMs: 200,
  });
});

test.each(['completed', 'failed', 'cancelled', 'skipped'] satisfies TaskState[])('what is %s is on no path', (state) => {
  expect(analyseGraph([node('a', [], { state }), node('b', ['a'])]).criticalPath.taskIds).toEqual(['b']);
});

test('a chain of ten thousand tasks is one path, and a fan of them one batch', () => {
  const chain = Array.from({ length: 10_000 }, (_, index) => node(`t${index}`, index === 0 ? [] : [`t${index - 1}`]));
  const fan = [node('top'), ...Array.from({ length: 9_999 }, (_, index) => node(`f${index}`, ['top']))];

  expect(analyseGraph(chain).criticalPath.taskIds).toHaveLength(10_000);
  expect(analyseGraph(chain).levels).toHaveLength(10_000);
  expect(analyseGraph(fan).levels.map(({ length }) => length)).toEqual([1, 9_999]);
});
