import { z } from 'zod';
import { artifactType } from './artifact.ts';
import { method, readParams, writeParams } from './define.ts';
import { gateDefinition } from './gate-definition.ts';
import { bugFix, bugFixDefinition } from './story/workflow.ts';
import { newTaskFields } from './task.ts';
import { cursor, id, jsonObject, limit, name, nextCursor, phaseName, timestamp } from './values.ts';

/** Forward edges pass the gate of the phase they leave; the other kinds need none, and get around none. */
export const edgeKinds = ['forward', 'regression', 'block', 'unblock'] as const;
export const edgeKind = z.enum(edgeKinds).meta({
  id: 'EdgeKind',
  description: 'Forward edges pass the gate of the phase they leave; the other kinds need none, and get around none.',
});
export type EdgeKind = z.infer<typeof edgeKind>;

export const edge = z
  .strictObject({ from: phaseName, to: phaseName, kind: edgeKind })
  .meta({ id: 'Edge', description: 'A way from one phase to another.' });

/** When a template makes its task: at every entry into the phase, at the first, at each later one, or when its gate refuses. */
export const templateOccasions = ['always', 'first', 'return', 'refused'] as const;

/** A task that a phase makes by itself. */
export const taskTemplate = newTaskFields
  // A moment of the calendar would have passed when the phase is entered.
  .omit({ runAt: true })
  .extend({
    when: z
      .enum(templateOccasions)
      .default('always')
      .describe('At every entry into the phase, at the first, at each later one, or when its gate refuses.'),
  })
  .meta({ id: 'TaskTemplate', description: 'A task that a phase makes by itself.' });
export type TaskTemplate = z.infer<typeof taskTemplate>;

export const phaseDefinition = z
  .strictObject({
    name: phaseName,
    description: z.string().max(2_000).optional(),
    gate: gateDefinition
      .optional()
      .describe('The conditions under which the phase may be left forward. Without one it may be left at any time.'),
    tasks: z.array(taskTemplate).max(10_000).default([]).describe('The tasks made when a ticket enters.'),
    advance: z
      .enum(['manual', 'automatic'])
      .default('manual')
      .describe('What to do when all tasks have ended: wait to be told, or judge the gate and go on along the first forward edge.'),
    onRefused: z
      .strictObject({
        regressTo: phaseName
          .optional()
          .describe('Sends the ticket along this regression edge. Without it the templates with `when: refused` are made in this phase.'),
        roundsMax: z.int().min(1).max(100).default(3).describe('How often this may happen in the life of the ticket before it is blocked.'),
      })
      .optional()
      .describe('With `advance: automatic`: what to do when the gate refuses. Without it the ticket is blocked.'),
  })
  .meta({ id: 'PhaseDefinition', description: 'A phase of a workflow: what is done in it, and when it may be left.' });
export type PhaseDefinition = z.infer<typeof phaseDefinition>;

export const artifactTypeDefinition = z
  .strictObject({
    description: z.string().max(2_000).optional(),
    schema: jsonObject.optional().describe('A JSON Schema (2020-12, or draft-07 if it says so) that inline content of this type must fit.'),
  })
  .meta({ id: 'ArtifactTypeDefinition', description: 'What artifacts of one type are, and what their content must look like.' });

export const workflowDefinition = z
  .strictObject({
    name,
    description: z.string().max(2_000).optional(),
    phases: z.array(phaseDefinition).min(2).max(64).describe('In the order in which work flows. A ticket begins in the first.'),
    edges: z.array(edge).min(1).max(4_096),
    blockedPhase: phaseName
      .optional()
      .describe('Where a blocked ticket waits. It may return to the phase it was blocked in, whatever the edges say.'),
    artifactTypes: z
      .record(artifactType, artifactTypeDefinition)
      .optional()
      .describe('What is known about types of artifacts. An artifact that does not fit the schema of its type is refused.'),
  })
  .meta({ id: 'WorkflowDefinition', description: 'The phases of a workflow and the edges between them.' });
export type WorkflowDefinition = z.infer<typeof workflowDefinition>;
export type WorkflowDefinitionInput = z.input<typeof workflowDefinition>;

export const workflow = z
  .object({ id, name, version: z.int32(), builtIn: z.boolean(), definition: workflowDefinition, createdAt: timestamp })
  .meta({ id: 'Workflow', description: 'One version of a workflow. Versions are never changed.' });
export type Workflow = z.infer<typeof workflow>;

/** Work flows from one phase to the next; a ticket can be blocked anywhere and sent back from testing. */
export const softwareDelivery = workflowDefinition.parse({
  name: 'software-delivery',
  description: 'From an idea to a delivered change, with evidence at each step.',
  phases: [
    { name: 'BACKLOG', description: 'Not begun.' },
    {
      name: 'REQUIREMENTS',
      description: 'What is wanted, and how it will be known to be there.',
      gate: {
        artifacts: ['requirements_document'],
        criteria: [
          { artifact: 'requirements_document', path: 'length', op: '>=', value: 500 },
          { artifact: 'requirements_document', path: 'sections', op: 'containsAll', value: ['scope', 'acceptance_criteria'] },
        ],
      },
    },
    { name: 'DESIGN', description: 'How it will be built.', gate: {} },
    {
      name: 'IMPLEMENTATION',
      description: 'Building it, with tests.',
      gate: {
        artifacts: ['code_changes', 'test_coverage'],
        criteria: [
          { artifact: 'code_changes', path: 'tests.0', op: 'exists' },
          { artifact: 'test_coverage', path: 'percentage', op: '>=', value: 80 },
        ],
      },
    },
    {
      name: 'TESTING',
      description: 'Showing that it works.',
      gate: {
        artifacts: ['test_results', 'test_evidence'],
        criteria: [
          { artifact: 'test_results', path: 'passed', op: '>=', value: 1 },
          { artifact: 'test_results', path: 'failed', op: '==', value: 0 },
          { artifact: 'test_results', path: 'errors', op: '==', value: 0, optional: true },
        ],
      },
    },
    { name: 'DEPLOYMENT', description: 'Bringing it to its users.', gate: {} },
    { name: 'DONE', description: 'Delivered.' },
    { name: 'BLOCKED', description: 'Waiting for something outside.' },
  ],
  edges: [
    { from: 'BACKLOG', to: 'REQUIREMENTS', kind: 'forward' },
    { from: 'REQUIREMENTS', to: 'DESIGN', kind: 'forward' },
    { from: 'DESIGN', to: 'IMPLEMENTATION', kind: 'forward' },
    { from: 'IMPLEMENTATION', to: 'TESTING', kind: 'forward' },
    { from: 'TESTING', to: 'DEPLOYMENT', kind: 'forward' },
    { from: 'DEPLOYMENT', to: 'DONE', kind: 'forward' },
    { from: 'TESTING', to: 'IMPLEMENTATION', kind: 'regression' },
    ...(['BACKLOG', 'REQUIREMENTS', 'DESIGN', 'IMPLEMENTATION', 'TESTING', 'DEPLOYMENT'] as const).map(
      (from) => ({ from, to: 'BLOCKED', kind: 'block' }) as const,
    ),
    ...(['BACKLOG', 'REQUIREMENTS', 'DESIGN', 'IMPLEMENTATION', 'TESTING'] as const).map(
      (to) => ({ from: 'BLOCKED', to, kind: 'unblock' }) as const,
    ),
  ],
  blockedPhase: 'BLOCKED',
});

export const workflowMethods = {
  'workflow/put': method({
    summary: 'Stores a workflow. The same definition again is the same version; another one is the next version.',
    access: 'operate',
    session: false,
    idempotent: true,
    params: writeParams({ definition: workflowDefinition }),
    result: workflow,
    errors: ['workflow_invalid', 'validator_unknown', 'overloaded'],
    example: { params: { definition: bugFixDefinition }, result: bugFix },
  }),
  'workflow/get': method({
    summary: 'Returns one workflow, in its newest version unless one is named.',
    access: 'read',
    session: false,
    idempotent: true,
    params: readParams({ name, version: z.int32().min(1).optional().describe('Without it the newest.') }),
    result: workflow,
    errors: ['workflow_not_found'],
    example: { params: { name: 'bug-fix' }, result: bugFix },
  }),
  'workflow/list': method({
    summary:
      'Lists the newest version of each workflow, by name. A page has about a megabyte at most, even where it has fewer than `limit`.',
    access: 'read',
    session: false,
    idempotent: true,
    params: readParams({ after: cursor.optional(), limit: limit.default(100) }),
    result: z.object({ workflows: z.array(workflow), next: nextCursor }),
    errors: [],
    example: { params: {}, result: { workflows: [bugFix] } },
  }),
};
