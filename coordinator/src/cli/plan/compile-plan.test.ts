import { softwareDelivery } from '@baton/protocol';
import { expect, test } from 'vitest';
import { planSchema } from '../plan-schema.ts';
import { compilePlan } from './compile-plan.ts';

const base = { name: 'sample', ticket: { title: 'A change' } };
const compile = (given: object, workspace?: string) => compilePlan(planSchema.parse({ ...base, ...given }), workspace);
const phaseOf = (definition: ReturnType<typeof compile>, name: string) => definition.phases.find((phase) => phase.name === name)!;

test('has the name of the plan, and the phases and edges of the workflow', () => {
  const definition = compile({ description: 'What it is for.' });

  expect(definition).toMatchObject({
    name: 'sample',
    description: 'What it is for.',
    edges: softwareDelivery.edges,
    blockedPhase: 'BLOCKED',
  });
  expect(definition.phases.map(({ name }) => name)).toEqual(softwareDelivery.phases.map(({ name }) => name));
});

test('goes on by itself up to the last phase, except where the plan says otherwise', () => {
  const definition = compile({ phases: { DESIGN: { advance: 'manual' } } });

  expect(definition.phases.map(({ name, advance }) => [name, advance])).toEqual([
    ['BACKLOG', 'automatic'],
    ['REQUIREMENTS', 'automatic'],
    ['DESIGN', 'manual'],
    ['IMPLEMENTATION', 'automatic'],
    ['TESTING', 'automatic'],
    ['DEPLOYMENT', 'automatic'],
    ['DONE', 'manual'],
    ['BLOCKED', 'manual'],
  ]);
});

test('keeps the gate of the workflow where the plan gives tasks and no gate', () => {
  const definition = compile({ phases: { TESTING: { tasks: [{ type: 'test' }] } } });

  expect(phaseOf(definition, 'TESTING').gate).toEqual(phaseOf(softwareDelivery, 'TESTING').gate);
});

test('asks a phase without tasks for no completed task', () => {
  expect(phaseOf(compile({}), 'DESIGN').gate).toMatchObject({ tasksMin: 0 });
  expect(phaseOf(compile({ phases: { TESTING: { gate: {} } } }), 'TESTING').gate).toEqual({
    artifacts: [],
    tasksMin: 0,
    criteria: [],
    validators: [],
  });
  expect(phaseOf(compile({}), 'BACKLOG').gate).toBeUndefined();
});

test("takes the plan's gate in place of the workflow's", () => {
  const definition = compile({ phases: { TESTING: { tasks: [{ type: 'test' }], gate: { artifacts: ['report'], tasksMin: 2 } } } });

  expect(phaseOf(definition, 'TESTING').gate).toEqual({ artifacts: ['report'], tasksMin: 2, criteria: [], validators: [] });
});

test('writes the folder of the workspace into tasks, locks and validators', () => {
  const definition = compile(
    {
      phases: {
        TESTING: {
          tasks: [
            {
              type: 'test',
              title: 'Test {{workspace}}',
              input: { dirs: ['{{ workspace }}/src'], other: '{{ ticket.title }}' },
              locks: [{ key: 'file:{{ workspace }}/a' }],
            },
          ],
          gate: { validators: [{ use: 'command', config: { cwd: '{{ workspace }}' } }] },
        },
      },
    },
    '/w/$&',
  );

  const { tasks, gate } = phaseOf(definition, 'TESTING');
  expect(tasks[0]).toMatchObject({
    title: 'Test /w/$&',
    input: { dirs: ['/w/$&/src'], other: '{{ ticket.title }}' },
    locks: [{ key: 'file:/w/$&/a', mode: 'exclusive' }],
  });
  expect(gate?.validators[0]?.config).toEqual({ cwd: '/w/$&' });
});

test('builds on a workflow of its own, whose phases may wait to be told', () => {
  const definition = compile({
    workflow: {
      name: 'own',
      phases: [{ name: 'A', tasks: [{ type: 'x' }] }, { name: 'B', advance: 'manual', gate: {} }, { name: 'C' }],
      edges: [
        { from: 'A', to: 'B', kind: 'forward' },
        { from: 'B', to: 'C', kind: 'forward' },
      ],
    },
  });

  expect(definition.phases).toMatchObject([
    { name: 'A', advance: 'automatic', tasks: [{ type: 'x' }] },
    { name: 'B', advance: 'manual', gate: { tasksMin: 0 } },
    { name: 'C', advance: 'manual' },
  ]);
});
