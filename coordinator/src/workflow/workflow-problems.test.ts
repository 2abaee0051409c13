import { softwareDelivery, workflowDefinition, type WorkflowDefinitionInput } from '@baton/protocol';
import { describe, expect, test } from 'vitest';
import { findWorkflowProblems } from './workflow-problems.ts';

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
  [
    'a gate at the end',
    { phases: [{ name: 'A' }, { name: 'B', gate: {} }] },
    'phases[1].gate: No forward edge leaves B, so its gate is never judged: give it to the phase before.',
  ],
  [
    'a gate where blocked tickets wait',
    {
      phases: [{ name: 'A' }, { name: 'B' }, { name: 'WAIT', gate: {} }],
      edges: [
        { from: 'A', to: 'B', kind: 'forward' },
        { from: 'A', to: 'WAIT', kind: 'block' },
        { from: 'WAIT', to: 'A', kind: 'unblock' },
      ],
      blockedPhase: 'WAIT',
    },
    'phases[2].gate: No forward edge leaves WAIT, so its gate is never judged: give it to the phase before.',
  ],
  [
    'more in patterns than can be read in good time',
    {
      phases: [
        {
          name: 'A',
          gate: {
            criteria: ['a', 'a', 'b'].map((letter) => ({ artifact: 'doc', path: 'n', op: 'matches', value: letter.repeat(5_001) })),
          },
        },
        { name: 'B' },
      ],
    },
    'phases: The patterns of its criteria have 10002 characters together and may have 10000: write shorter ones.',
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
    {
      phases: [{ name: 'A' }, { name: 'B', advance: 'automatic', gate: {}, onRefused: { regressTo: 'A' } }, { name: 'C' }],
      edges: [
        { from: 'A', to: 'B', kind: 'forward' },
        { from: 'B', to: 'C', kind: 'forward' },
      ],
    },
    'phases[1].onRefused.regressTo: There is no regression edge from B to A.',
  ],
])('%s is found', (_name, more, problem) => expect(problems(more)).toEqual([problem]));

describe('tickets that would go round by themselves', () => {
  const round = (back: 'forward' | 'regression', ...phases: object[]) =>
    problems({
      phases: [...['A', 'B'].map((name, index) => ({ name, advance: 'automatic' as const, ...phases[index] })), { name: 'DONE' }],
      edges: [
        { from: 'A', to: 'B', kind: 'forward' },
        { from: 'B', to: 'A', kind: back },
        { from: 'B', to: 'DONE', kind: 'forward' },
      ],
    });
  const endless =
    'edges[1]: Tickets would go round by themselves without end: A → B → A. Make an edge that leads back a regression, or give one of the phases `advance: manual`.';

  test('are found, with tasks on the way or without', () => {
    expect(round('forward')).toEqual([endless]);
    expect(round('forward', { tasks: [{ type: 't' }], gate: {} })).toEqual([endless]);
  });

  test('do not where one phase is left by hand, or where the way back is a regression', () => {
    expect(round('forward', {}, { advance: 'manual' })).toEqual([]);
    expect(round('regression')).toEqual([]);
  });

  test('do not where the first forward edge leads on', () =>
    expect(
      problems({
        phases: [{ name: 'A', advance: 'automatic' }, { name: 'B', advance: 'automatic' }, { name: 'DONE' }],
        edges: [
          { from: 'A', to: 'B', kind: 'forward' },
          { from: 'B', to: 'DONE', kind: 'forward' },
          { from: 'B', to: 'A', kind: 'forward' },
        ],
      }),
    ).toEqual([]));
});

describe('what could never have an effect is found', () => {
  const inFirst = (first: object) => problems({ phases: [{ name: 'A', ...first }, { name: 'B' }] });
  const refusing = { advance: 'automatic', gate: {}, tasks: [{ type: 't', when: 'refused' }], onRefused: {} };

  test('but nothing is said of a phase that needs all that it has', () => expect(inFirst(refusing)).toEqual([]));

  test.each([
    [
      'what follows a refusal where nobody judges by himself',
      { ...refusing, advance: 'manual' },
      'phases[0].onRefused: It is looked at only with `advance: automatic`: add that, or leave it out.',
    ],
    [
      'what follows a refusal without a gate',
      { ...refusing, gate: undefined },
      'phases[0].onRefused: A has no gate that could refuse: give it one, or leave it out.',
    ],
    [
      'a refusal that nothing follows',
      { ...refusing, tasks: [] },
      'phases[0].onRefused: Name a phase in regressTo, or give tasks with `when: refused`.',
    ],
    [
      'a task for a refusal that blocks',
      { ...refusing, onRefused: undefined },
      'phases[0].tasks[0].when: This task would never be made, since the phase has no onRefused, so that a refusal blocks the ticket: give it `onRefused: {}`.',
    ],
    [
      'what a refused approval is to do to others that nobody asks for',
      { gate: { onApprovalRefused: 'cancel_others' } },
      'phases[0].gate.onApprovalRefused: The gate asks for no approval: name some in `approvals`, or leave it out.',
    ],
  ])('%s', (_name, first, problem) => expect(inFirst(first)).toEqual([problem]));

  test('a task for a refusal that leads back', () =>
    expect(
      problems({
        phases: [{ name: 'A' }, { name: 'B', ...refusing, onRefused: { regressTo: 'A' } } as never, { name: 'C' }],
        edges: [
          { from: 'A', to: 'B', kind: 'forward' },
          { from: 'B', to: 'A', kind: 'regression' },
          { from: 'B', to: 'C', kind: 'forward' },
        ],
      }),
    ).toEqual([
      'phases[1].tasks[0].when: This task would never be made, since onRefused.regressTo leaves the phase: make it in the phase that this leads to, with `when: return`.',
    ]));

  test('a phase that goes on by itself to nowhere', () =>
    expect(problems({ phases: [{ name: 'A' }, { name: 'B', advance: 'automatic' }] })).toEqual([
      'phases[1].advance: No forward edge leaves B, so tickets go nowhere by themselves from here: leave it out.',
    ]));

  test('work where blocked tickets wait', () =>
    expect(
      problems({
        phases: [{ name: 'A' }, { name: 'B' }, { name: 'WAIT', tasks: [{ type: 't' }] }],
        edges: [
          { from: 'A', to: 'B', kind: 'forward' },
          { from: 'A', to: 'WAIT', kind: 'block' },
        ],
        blockedPhase: 'WAIT',
      }),
    ).toEqual(['phases[2].tasks: Tickets wait in WAIT, and no work is done there: give the tasks to another phase.']));

  test('work where tickets are over', () =>
    expect(problems({ phases: [{ name: 'A' }, { name: 'B', tasks: [{ type: 't' }] }] })).toEqual([
      'phases[1].tasks: Tickets are over when they enter B, and nothing waits for work there: give the tasks to the phase before.',
    ]));

  test('but nothing is said of work in a phase that is left only on the way back', () =>
    expect(
      problems({
        phases: [{ name: 'A' }, { name: 'B' }, { name: 'C', tasks: [{ type: 't' }] }],
        edges: [
          { from: 'A', to: 'B', kind: 'forward' },
          { from: 'A', to: 'C', kind: 'forward' },
          { from: 'C', to: 'A', kind: 'regression' },
        ],
      }),
    ).toEqual([]));
});
