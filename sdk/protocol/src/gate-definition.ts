import { z } from 'zod';
import { approvalRule } from './approval-rule.ts';
import { artifactType } from './artifact.ts';
import { criterion } from './criterion.ts';
import { jsonObject, name } from './values.ts';

export const gateValidator = z
  .strictObject({
    use: name.describe("The validator's name, as a plugin offers it."),
    config: jsonObject.default({}).describe('As the validator asks for.'),
    requirement: z
      .enum(['required', 'advisory'])
      .default('required')
      .describe('An advisory validator is reported and never holds the gate.'),
    onError: z.enum(['block', 'ignore']).default('block').describe('What a crash or a time-out of the validator means.'),
    timeoutMs: z.int().min(1).max(3_600_000).optional().describe('Without it the `validatorTimeoutMs` of the coordinator.'),
  })
  .meta({ id: 'GateValidator', description: 'A validator that a gate asks, and what its answer means.' });
export type GateValidator = z.infer<typeof gateValidator>;

export const gateDefinition = z
  .strictObject({
    artifacts: z
      .array(artifactType)
      .max(100)
      .default([])
      .describe('Types of which at least one artifact must have been stored in the current visit.'),
    tasksMin: z
      .int()
      .min(0)
      .default(1)
      .describe('How many tasks must have been completed at least. All that are not cancelled or skipped must be completed in any case.'),
    criteria: z.array(criterion).max(1_000).default([]).describe('Comparisons on the content of artifacts.'),
    validators: z.array(gateValidator).max(100).default([]).describe('Plugins that are asked.'),
    approvals: z
      .array(approvalRule)
      .max(20)
      .refine((rules) => new Set(rules.map((rule) => rule.name)).size === rules.length, 'Two approvals have the same name.')
      .optional()
      .describe('Asked for once everything else is in order, and bound to what was judged: when that changes, they are asked for anew.'),
    onApprovalRefused: z
      .enum(['keep_others', 'cancel_others'])
      .optional()
      .describe('What becomes of the other approvals that still wait when one is refused. Without it they are kept.'),
  })
  .meta({ id: 'GateDefinition', description: 'The conditions under which a phase may be left forward.' });
export type GateDefinition = z.infer<typeof gateDefinition>;
