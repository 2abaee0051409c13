import { softwareDelivery, workflowDefinition } from '@baton/protocol';
import type { z } from 'zod';
import { expect, test } from 'vitest';
import { findTemplateProblems } from './template-problems.ts';

type Tasks = NonNullable<z.input<typeof workflowDefinition>['phases'][number]['tasks']>;

const problems = (tasks: Tasks, others: Tasks = []) =>
  findTemplateProblems(
    workflowDefinition.parse({
      name: 'w',
      phases: [{ name: 'A', tasks }, { name: 'B', tasks: others }, { name: 'C' }],
      edges: [{ from: 'A', to: 'B', kind: 'forward' }],
    }),
  ).map(({ path, message }) => `${path}: ${message}`);

test('the built-in workflow makes no mistakes', () => expect(findTemplateProblems(softwareDelivery)).toEqual([]));

test.each<[string, Tasks, string]>([
  [
    'a reference that is given twice',
    [
      { ref: 'a', type: 't' },
      { ref: 'a', type: 't', when: 'return' },
    ],
    'phases[0].tasks[1].ref: Another task of A has the reference a.',
  ],
  [
    'a dependency that is not there',
    [
      { ref: 'a', type: 't' },
      { type: 't', dependsOn: ['a', 'nope'] },
    ],
    'phases[0].tasks[1].dependsOn[1]: A has no task nope; it has a.',
  ],
  [
    'an author that is not there',
    [{ type: 't', notBy: ['ada'] }],
    'phases[0].tasks[0].notBy[0]: A has no task ada; none of its tasks has a `ref`.',
  ],
  [
    'a dependency that is made at another time',
    [
      { ref: 'a', type: 't', when: 'first' },
      { type: 't', dependsOn: ['a'] },
    ],
    'phases[0].tasks[1].dependsOn[0]: a is not made when it is entered again, but this task is.',
  ],
  [
    'dependencies that go round',
    [
      { ref: 'a', type: 't', dependsOn: ['b'] },
      { ref: 'b', type: 't', input: { of: ['{{ tasks.a.output }}'] } },
    ],
    'phases[0].tasks: The dependencies form a cycle: a → b → a.',
  ],
  [
    'what is no reference',
    [{ type: 't', input: { list: [{ x: 'see {{ ticket.titel }}' }] } }],
    expect.stringContaining(
      'phases[0].tasks[0].input.list[0].x: {{ ticket.titel }} is no reference; a reference is one of tasks.',
    ) as string,
  ],
  [
    'a title with what is no reference',
    [{ type: 't', title: 'See {{ ticket.titel }}' }],
    expect.stringContaining('phases[0].tasks[0].title: {{ ticket.titel }} is no reference; a reference is one of tasks.') as string,
  ],
  [
    'a reference to nothing of a task',
    [
      { ref: 'a', type: 't' },
      { type: 't', input: { x: '{{ tasks.a.outptu }}' } },
    ],
    'phases[0].tasks[1].input.x: {{ tasks.a.outptu }} does not say what it takes of the task: write `.output` after the reference.',
  ],
  [
    'a lock whose key would be filled in',
    [{ type: 't', locks: [{ key: 'file:{{ ticket.title }}' }] }],
    'phases[0].tasks[0].locks[0].key: file:{{ ticket.title }}: Nothing is filled into the key of a lock.',
  ],
  [
    'the result of a task that is not there',
    [{ ref: 'a', type: 't', input: { x: '{{ tasks.b.output.y }}' } }],
    'phases[0].tasks[0].input.x: {{ tasks.b.output.y }} names a task that is not there: A has no task b; it has a.',
  ],
  [
    'a phase that is not there',
    [{ type: 't', input: { x: '{{ phases.D.tasks.a.output }}' } }],
    'phases[0].tasks[0].input.x: {{ phases.D.tasks.a.output }} names a phase that is not there; there are A, B, C.',
  ],
  [
    'a title that cannot be known yet',
    [
      { ref: 'a', type: 't' },
      { type: 't', title: 'After {{ tasks.a.output }}' },
    ],
    expect.stringContaining('phases[0].tasks[1].title: {{ tasks.a.output }} is not known when the task is made') as string,
  ],
  [
    'a lock whose key is none',
    [{ type: 't', locks: [{ key: 'port:9-3' }] }],
    'phases[0].tasks[0].locks[0].key: port:9-3: A range runs upwards: port:3-9.',
  ],
])('%s is found', (_name, tasks, problem) => expect(problems(tasks)).toEqual([problem]));

test('of many references that a phase has some are told', () => {
  const known = Array.from({ length: 21 }, (_, index) => ({ ref: `r${index}`, type: 't' }));
  const told = known.slice(0, 20).map(({ ref }) => ref);

  expect(problems([...known, { type: 't', dependsOn: ['nope'] }])).toEqual([
    `phases[0].tasks[21].dependsOn[0]: A has no task nope; it has ${told.join(', ')}, ….`,
  ]);
});

test('the result of a task that another phase does not have is found', () =>
  expect(problems([{ type: 't', input: { x: '{{ phases.B.tasks.a.output }}' } }], [{ ref: 'b', type: 't' }])).toEqual([
    'phases[0].tasks[0].input.x: {{ phases.B.tasks.a.output }} names a task that is not there: B has no task a; it has b.',
  ]));

test.each<[string, Tasks]>([
  ['a phase whose tasks others submit', [{ type: 't', input: { x: '{{ phases.C.tasks.any.output }}' } }]],
  ['a task that another may have submitted when the gate has refused', [{ type: 't', when: 'refused', dependsOn: ['spawned'] }]],
  [
    'tasks of one reference that are never made together',
    [
      { ref: 'a', type: 't', when: 'first' },
      { ref: 'a', type: 't', when: 'return' },
      { type: 't', dependsOn: ['a'] },
    ],
  ],
  ['what a literal holds', [{ type: 't', input: { x: { $literal: '{{ foo }}' } } }]],
  [
    'everything that a task may name',
    [{ type: 't', title: '{{ ticket.title }}', input: { x: '{{ context }} {{ gate.reasons }} {{ visit.number }}' } }],
  ],
])('%s is no mistake', (_name, tasks) => expect(problems(tasks)).toEqual([]));
