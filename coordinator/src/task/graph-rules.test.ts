import { newTask, type NewTaskInput } from '@baton/protocol';
import { describe, expect, test } from 'vitest';
import { findCycle, resolveDependencies } from './graph-rules.ts';

const tasks = (...inputs: Omit<NewTaskInput, 'type'>[]) => inputs.map((input) => newTask.parse({ type: 'work', ...input }));
const nothing = () => undefined;
const kindOf = (run: () => unknown): unknown => {
  try {
    return run();
  } catch (error) {
    return error;
  }
};

describe('dependencies', () => {
  test('are found by reference within the submission, before tasks that are there already', () => {
    const found = resolveDependencies(tasks({ ref: 'a' }, { ref: 'b', dependsOn: ['a', 'old'] }), (name) =>
      name === 'old' ? 'id-of-old' : undefined,
    );

    expect(found).toEqual([[], [{ index: 0 }, { id: 'id-of-old' }]]);
  });

  test('follow from references to results, once', () => {
    const found = resolveDependencies(
      tasks({ ref: 'a' }, { dependsOn: ['a'], input: { x: '{{ tasks.a.output.y }}', deep: [{ z: 'see {{ tasks.a.summary }}' }] } }),
      nothing,
    );

    expect(found[1]).toEqual([{ index: 0 }]);
  });

  test('follow from authors that are excluded, once and marked', () => {
    const found = resolveDependencies(tasks({ ref: 'a' }, { ref: 'b' }, { dependsOn: ['a'], notBy: ['a', 'b', 'old'] }), () => 'id-of-old');

    expect(found[2]).toEqual([
      { index: 0, excludesAuthor: true },
      { index: 1, excludesAuthor: true },
      { id: 'id-of-old', excludesAuthor: true },
    ]);
  });

  test('are not made by references to earlier phases, to the ticket or to the context', () => {
    expect(
      resolveDependencies(tasks({ input: { x: '{{ phases.DESIGN.tasks.a.output }}', y: '{{ ticket.title }} {{ context }}' } }), nothing),
    ).toEqual([[]]);
  });

  test.each([
    ['dependency_unknown', tasks({ dependsOn: ['nobody'] })],
    ['dependency_unknown', tasks({ notBy: ['nobody'] })],
    ['dependency_unknown', tasks({ input: { x: '{{ tasks.nobody.output }}' } })],
    ['reference_duplicate', tasks({ ref: 'a' }, { ref: 'a' })],
    ['input_unresolved', tasks({ input: { x: '{{ nonsense }}' } })],
  ])('%s is refused', (kind, submission) => {
    expect(kindOf(() => resolveDependencies(submission, nothing))).toMatchObject({ kind });
  });

  test('a cycle is refused with its path', () => {
    const circle = tasks({ ref: 'a', dependsOn: ['c'] }, { ref: 'b', dependsOn: ['a'] }, { ref: 'c', dependsOn: ['b'] });

    const error = kindOf(() => resolveDependencies(circle, nothing)) as { kind: string; data: { path: string[] } };

    expect(error.kind).toBe('dependency_cycle');
    expect(error.data.path).toHaveLength(4);
    expect(error.data.path[0]).toBe(error.data.path.at(-1));
    expect([...new Set(error.data.path)].sort()).toEqual(['a', 'b', 'c']);
  });
});

test('of a long cycle people are told the beginning, and programs the path as far as an answer holds it', () => {
  const ring = tasks(...Array.from({ length: 10_000 }, (_, index) => ({ ref: `t${index}`, dependsOn: [`t${(index + 1) % 10_000}`] })));

  const error = kindOf(() => resolveDependencies(ring, nothing)) as { message: string; data: { path: string[]; length: number } };

  expect(error.data.length).toBe(10_000);
  expect(error.data.path).toHaveLength(5_001);
  expect(error.message.length).toBeLessThan(400);
  expect(error.message).toContain('10000 tasks in all');
});

describe('cycles', () => {
  const graph = (links: number[][]) => links.map((each) => each.map((index) => ({ index })));

  test.each([
    ['a chain', [[], [0], [1]], undefined],
    ['a diamond', [[], [0], [0], [1, 2]], undefined],
    ['itself', [[0]], [0, 0]],
  ])('%s', (_name, links, cycle) => expect(findCycle(graph(links))).toEqual(cycle));

  test('a chain of 100,000 is walked without running out of stack', () => {
    expect(findCycle(graph(Array.from({ length: 100_000 }, (_, index) => (index === 0 ? [] : [index - 1]))))).toBeUndefined();
  });
});
