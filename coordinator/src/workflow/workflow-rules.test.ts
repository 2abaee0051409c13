import { softwareDelivery, workflowDefinition, type WorkflowDefinitionInput } from '@baton/protocol';
import { describe, expect, test } from 'vitest';
import { edgesFrom, findWorkflowProblems, gatesAround, isFinal, nextPhase } from './workflow-rules.ts';

const workflow = (more: Partial<WorkflowDefinitionInput> = {}) =>
  workflowDefinition.parse({
    name: 'w',
    phases: [{ name: 'A' }, { name: 'B' }],
    edges: [{ from: 'A', to: 'B', kind: 'forward' }],
    ...more,
  });
const problems = (more: Partial<WorkflowDefinitionInput>) =>
  findWorkflowProblems(workflow(more)).map(({ path, message }) => `${path}: ${message}`);

test('the built-in workflow holds together', () => expect(findWorkflowProblems(softwareDelivery)).toEqual([]));

test.each<[string, Partial<WorkflowDefinitionInput>, string]>([
  ['a phase twice', { phases: [{ name: 'A' }, { name: 'B' }, { name: 'A' }] }, 'phases[2].name: The phase A is there twice.'],
  [
    'an edge to nowhere',
    {
      edges: [
        { from: 'A', to: 'B', kind: 'forward' },
        { from: 'B', to: 'C', kind: 'forward' },
      ],
    },
    'edges[1].to: There is no phase C; there are A, B.',
  ],
  ['an unreachable phase', { phases: [{ name: 'A' }, { name: 'B' }, { name: 'C' }] }, 'phases[2]: No way leads from A to C.'],
  [
    'an edge twice',
    {
      edges: [
        { from: 'A', to: 'B', kind: 'forward' },
        { from: 'A', to: 'B', kind: 'regression' },
      ],
    },
    'edges[1]: The edge from A to B is there already, as edges[0].',
  ],
  [
    'an edge that leads to where it comes from',
    {
      edges: [
        { from: 'A', to: 'B', kind: 'forward' },
        { from: 'A', to: 'A', kind: 'regression' },
      ],
    },
    'edges[1]: The edge leads from A to A itself.',
  ],
  [
    'a dead end',
    {
      phases: [{ name: 'A' }, { name: 'B' }, { name: 'C' }, { name: 'D' }],
      edges: [
        { from: 'A', to: 'B', kind: 'forward' },
        { from: 'A', to: 'C', kind: 'forward' },
        { from: 'C', to: 'D', kind: 'block' },
        { from: 'D', to: 'C', kind: 'unblock' },
      ],
      blockedPhase: 'D',
    },
    'phases[2]: C is a dead end: no way of forward and regression edges leads from it to a final phase.',
  ],
  [
    'a schema that is none',
    { artifactTypes: { size: { schema: { type: 'percent' } } } },
    'artifactTypes.size.schema: This is no JSON Schema: schema is invalid: data/type must be equal to one of the allowed values, data/type must be array, data/type must match a schema in anyOf.',
  ],
  ['an unknown blocked phase', { blockedPhase: 'X' }, 'blockedPhase: There is no phase X; there are A, B.'],
  [
    'a way around the gates by the blocked phase',
    {
      phases: [{ name: 'A' }, { name: 'WAIT' }, { name: 'B' }],
      edges: [
        { from: 'A', to: 'WAIT', kind: 'block' },
        { from: 'WAIT', to: 'B', kind: 'forward' },
        { from: 'A', to: 'B', kind: 'forward' },
      ],
      blockedPhase: 'WAIT',
    },
    'edges[1].kind: An edge from the blocked phase is of the kind unblock.',
  ],
  [
    'another kind of edge to the blocked phase',
    {
      phases: [{ name: 'A' }, { name: 'B' }, { name: 'WAIT' }],
      edges: [
        { from: 'A', to: 'B', kind: 'forward' },
        { from: 'A', to: 'WAIT', kind: 'regression' },
        { from: 'WAIT', to: 'A', kind: 'unblock' },
      ],
      blockedPhase: 'WAIT',
    },
    'edges[1].kind: An edge to the blocked phase is of the kind block.',
  ],
  [
    'a regression without an edge',
    { phases: [{ name: 'A' }, { name: 'B', onRefused: { regressTo: 'A' } }] },
    'phases[1].onRefused.regressTo: There is no regression edge from B to A.',
  ],
  [
    'a refusal that nothing follows',
    { phases: [{ name: 'A', onRefused: {} }, { name: 'B' }] },
    'phases[0].onRefused: Name a phase in regressTo, or give tasks with `when: refused`.',
  ],
])('%s is found', (_name, more, problem) => expect(problems(more)).toEqual([problem]));

test('work flows forward until nothing follows', () => {
  expect([nextPhase(softwareDelivery, 'TESTING'), nextPhase(softwareDelivery, 'DONE')]).toEqual(['DEPLOYMENT', undefined]);
  expect([isFinal(softwareDelivery, 'DONE'), isFinal(softwareDelivery, 'BLOCKED')]).toEqual([true, false]);
});

test('P6 a blocked ticket may return to the phase it was blocked in, and another may not', () => {
  const ways = (blockedIn: string) => edgesFrom(softwareDelivery, { phase: 'BLOCKED', blockedIn }).map(({ to }) => to);

  expect(ways('DEPLOYMENT')).toContain('DEPLOYMENT');
  expect(ways('DESIGN')).not.toContain('DEPLOYMENT');
});

describe('gates that a way leads around', () => {
  const around = (blockedIn: string | null, to: string) =>
    gatesAround(softwareDelivery, { phase: 'BLOCKED', blockedIn }, { to, kind: 'unblock' });

  test('G13 a blocked ticket that goes on further than it was has passed none of the gates in between', () => {
    expect(around('REQUIREMENTS', 'TESTING')).toEqual(['REQUIREMENTS', 'DESIGN', 'IMPLEMENTATION']);
    expect(around('TESTING', 'TESTING')).toEqual([]);
    expect(around('TESTING', 'DESIGN')).toEqual([]);
    expect(around('BACKLOG', 'REQUIREMENTS')).toEqual([]);
  });

  test('a ticket that began in the blocked phase has passed nothing', () => expect(around(null, 'DESIGN')).toEqual(['REQUIREMENTS']));

  test('a way that asks for no gate leads around one wherever it leads on, except into the blocked phase', () => {
    const from = (to: string, kind: 'forward' | 'block' | 'regression' | 'unblock') =>
      gatesAround(softwareDelivery, { phase: 'DESIGN', blockedIn: null }, { to, kind });

    expect([from('TESTING', 'forward'), from('BLOCKED', 'block'), from('REQUIREMENTS', 'regression')]).toEqual([[], [], []]);
    expect([from('TESTING', 'regression'), from('DONE', 'block')]).toEqual([
      ['DESIGN', 'IMPLEMENTATION'],
      ['DESIGN', 'IMPLEMENTATION', 'TESTING', 'DEPLOYMENT'],
    ]);
  });
});
