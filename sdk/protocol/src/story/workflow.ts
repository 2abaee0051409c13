import type { ApprovalRule } from '../approval-rule.ts';
import type { Workflow, WorkflowDefinitionInput } from '../workflow.ts';
import { at, ids } from './cast.ts';

const gate = {
  artifacts: ['test_results'],
  criteria: [{ artifact: 'test_results', path: 'failed', op: '==' as const, value: 0 }],
};

const edges: Workflow['definition']['edges'] = [
  { from: 'FIX', to: 'REVIEW', kind: 'forward' },
  { from: 'REVIEW', to: 'DONE', kind: 'forward' },
  { from: 'REVIEW', to: 'FIX', kind: 'regression' },
  { from: 'FIX', to: 'BLOCKED', kind: 'block' },
  { from: 'REVIEW', to: 'BLOCKED', kind: 'block' },
];

/** The way of a bug, as its author writes it down. */
export const bugFixDefinition: WorkflowDefinitionInput = {
  name: 'bug-fix',
  description: 'From a report to a reviewed fix.',
  phases: [
    { name: 'FIX', description: 'Find the cause, mend it, show that it is gone.', gate },
    { name: 'REVIEW', description: 'Someone else looks at it.', gate: { tasksMin: 0, approvals: [{ name: 'review', authorsMay: true }] } },
    { name: 'DONE' },
    { name: 'BLOCKED' },
  ],
  edges,
  blockedPhase: 'BLOCKED',
};

/** A small team: whoever has helped with the evidence may review. */
export const reviewRule: ApprovalRule = { name: 'review', count: 1, authorsMay: true, onRefusal: 'refuse' };

export const bugFixPhases = [
  { name: 'FIX', description: 'Find the cause, mend it, show that it is gone.', gate: { ...gate, tasksMin: 1, validators: [] } },
  {
    name: 'REVIEW',
    description: 'Someone else looks at it.',
    gate: { artifacts: [], tasksMin: 0, criteria: [], validators: [], approvals: [reviewRule] },
  },
  { name: 'DONE' },
  { name: 'BLOCKED' },
];

/** As it is stored, with what the author left out. */
export const bugFix: Workflow = {
  id: ids.workflow,
  name: 'bug-fix',
  version: 1,
  builtIn: false,
  definition: {
    name: 'bug-fix',
    description: 'From a report to a reviewed fix.',
    phases: bugFixPhases.map((phase) => ({ ...phase, tasks: [], advance: 'manual' })),
    edges,
    blockedPhase: 'BLOCKED',
  },
  createdAt: at('09:00:00'),
};
