import { expect, test } from 'vitest';
import type { z } from 'zod';
import { defineAgent, offeredCapabilities } from './define-agent.ts';
import { defineTask } from './define-task.ts';

const task = (type: string) => defineTask({ type, run: () => undefined });

test('capabilities are trimmed, in lower case, sorted and without duplicates', () => {
  const agent = defineAgent({ name: 'worker', capabilities: ['Python ', 'analysis', 'python'], tasks: [task('review')] });

  expect(agent.capabilities).toEqual(['analysis', 'python']);
  expect(offeredCapabilities(agent)).toEqual(['analysis', 'python', 'review']);
});

test('W6 the capacity is 1 unless said otherwise', () => {
  expect(defineAgent({ name: 'worker', tasks: [task('review')] }).capacity).toBe(1);
});

test.each([
  ['a name that is no name', { name: ' x', tasks: [task('a')] }, /name: Start with a letter/],
  ['a capacity of nothing', { name: 'x', capacity: 0, tasks: [task('a')] }, /capacity: /],
  ['no tasks', { name: 'x', tasks: [] }, /has no tasks/],
  ['two tasks of one type', { name: 'x', tasks: [task('a'), task('A')] }, /defines the task a twice/],
])('an agent with %s is refused', (_title, definition, message) => {
  expect(() => defineAgent(definition)).toThrow(message);
});

test('a task with a schema that is none is refused', () => {
  expect(() => defineTask({ type: 'a', input: { dir: 'string' } as unknown as z.ZodString, run: () => undefined })).toThrow(
    /"input" of the task a is not a zod schema/,
  );
});

test('a task whose type is no type is refused', () => {
  expect(() => task('no spaces')).toThrow(/A task's type is not "no spaces"/);
});
