import { z } from 'zod';
import { role } from './access.ts';
import { newArtifact } from './artifact.ts';
import { event, method, readParams, writeParams } from './define.ts';
import { ids } from './story/cast.ts';
import { gatePassed } from './story/evidence.ts';
import { id, jsonObject, jsonValue, limit, name, nextCursor, phaseName, sha256, timestamp } from './values.ts';

export const criterionOperators = ['==', '!=', '>', '>=', '<', '<=', 'contains', 'containsAll', 'matches', 'exists'] as const;

/** The operators that compare sizes, which a margin can move. */
const sizeOperators: readonly string[] = ['>', '>=', '<', '<='];

const smallSample = z
  .strictObject({
    path: z.string().min(1).max(512).describe('Where in the same content the size of the sample stands.'),
    below: z.number().describe('A sample is small where its size is less than this.'),
    margin: z.number().min(0).describe('How much less than `value` is enough for `>` and `>=`, and how much more for `<` and `<=`.'),
  })
  .meta({
    id: 'SmallSample',
    description:
      'Few cases say little: where the sample is small, `value` is relaxed by a margin. Where its size is no number nothing is relaxed.',
  });

export const criterion = z
  .strictObject({
    artifact: z.string().min(1).max(128).describe("The artifact's type. Every current artifact of this type is judged."),
    path: z
      .string()
      .min(1)
      .max(512)
      .describe('Where in the content to look: names and indices with dots between them, as in `suites.0.failed`.'),
    op: z.enum(criterionOperators),
    value: jsonValue.optional().describe('What it is compared with; `exists` needs none.'),
    smallSample: smallSample.optional().describe('A margin for small samples; only with an operator that compares sizes.'),
  })
  .refine(({ op, smallSample }) => smallSample === undefined || sizeOperators.includes(op), {
    path: ['smallSample'],
    message: 'A margin needs an operator that compares sizes: >, >=, < or <=.',
  })
  .meta({
    id: 'Criterion',
    description: "One comparison on the content of an artifact: `{ artifact: 'test_coverage', path: 'percentage', op: '>=', value: 80 }`.",
  });
export type Criterion = z.infer<typeof criterion>;

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

export const approvalRule = z
  .strictObject({
    name: z.string().min(1).max(128).default('approval').describe('What is approved, such as `release`. One name once in a gate.'),
    count: z.int().min(1).max(100).default(1).describe('How many different people or agents must approve.'),
    by: z.array(name).min(1).max(100).optional().describe('Who may: names of agents or of tokens. Without it anybody whose role fits.'),
    roles: z.array(role).min(1).optional().describe('The roles that may. Without it, and without `by`, operators and admins.'),
    authorsMay: z
      .boolean()
      .default(false)
      .describe('Whether the authors of what is judged may approve it: of the artifacts of the ticket, and of its completed tasks.'),
    expiresInMs: z.int().min(1_000).max(31_536_000_000).optional().describe('How long it may be waited for, in ms. Without it for ever.'),
    onRefusal: z
      .enum(['refuse', 'count'])
      .default('refuse')
      .describe('Whether one refusal refuses it, or it is refused only when those who are left cannot make up the number.'),
  })
  .meta({ id: 'ApprovalRule', description: 'An approval that a gate waits for: how many, by whom, until when.' });
export type ApprovalRule = z.infer<typeof approvalRule>;

export const gateDefinition = z
  .strictObject({
    artifacts: z
      .array(z.string().min(1).max(128))
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

export const finding = z
  .object({
    severity: z.enum(['fail', 'warn', 'info']),
    code: z.string().max(128),
    message: z.string().max(4_000),
    path: z.string().max(1_024).optional(),
    line: z.int().optional(),
  })
  .meta({ id: 'Finding', description: 'One thing that a validator has to say. Only `fail` holds the gate.' });
export type Finding = z.infer<typeof finding>;

/** A crash, a time-out and a refusal are three different things; none of them is a pass. */
export const verdictOutcomes = ['pass', 'fail', 'error', 'timeout', 'skipped'] as const;
export const verdict = z
  .object({
    validator: z.string(),
    requirement: z.enum(['required', 'advisory']),
    outcome: z.enum(verdictOutcomes),
    findings: z.array(finding),
    durationMs: z.number(),
  })
  .meta({ id: 'Verdict' });
export type Verdict = z.infer<typeof verdict>;

export const gateReason = z
  .object({
    code: z.enum([
      'artifact_missing',
      'task_open',
      'task_failed',
      'tasks_too_few',
      'validator_failed',
      'validator_error',
      'validator_timeout',
      'validator_skipped',
      'approval_waiting',
      'approval_refused',
      'approval_expired',
    ]),
    message: z.string(),
    artifactType: z.string().optional(),
    taskId: id.optional(),
    validator: z.string().optional(),
    findingCode: z.string().optional().describe("The validator's own code for what it found."),
    path: z.string().optional().describe('What the finding points at: a path inside the content, or a file.'),
    line: z.int().optional(),
    approval: z
      .object({ id: id.optional(), name: z.string(), given: z.int(), needed: z.int() })
      .optional()
      .describe('The approval that is missing; without an id it has not been asked for yet.'),
  })
  .meta({ id: 'GateReason', description: 'Why a gate does not let a ticket go. `code` is for programs, `message` for people.' });
export type GateReason = z.infer<typeof gateReason>;

export const judgedArtifact = z
  .object({ artifactId: id, type: z.string(), name: z.string(), version: z.int32(), sha256 })
  .meta({ id: 'JudgedArtifact', description: 'The version of an artifact that was judged.' });

export const gateResult = z
  .object({
    id,
    ticketId: id,
    phase: phaseName,
    visit: z.int32(),
    outcome: z.enum(['passed', 'failed']),
    digest: sha256.describe(
      'Of all that was judged: artifact versions, task set and gate definition. Another digest makes the result stale.',
    ),
    judged: z.array(judgedArtifact),
    reasons: z.array(gateReason).describe('Why it was not passed, all at once.'),
    verdicts: z.array(verdict).describe('What each validator said.'),
    durationMs: z.number(),
    createdAt: timestamp,
  })
  .meta({ id: 'GateResult', description: 'What a gate said, bound to the digest of what it judged.' });
export type GateResult = z.infer<typeof gateResult>;

export const gateStates = ['not_configured', 'blocked', 'waiting_tasks', 'waiting_approval', 'ready'] as const;

export const gateStatus = z
  .object({
    ticketId: id,
    phase: phaseName,
    visit: z.int32(),
    state: z.enum(gateStates),
    met: z.boolean().describe('All that can be known without running a validator is in order.'),
    missing: z.array(gateReason).describe('All of it at once.'),
    result: gateResult.optional().describe('The newest result of this visit.'),
    stale: z.boolean().describe('The result judged something else than what is there now.'),
  })
  .meta({ id: 'GateStatus', description: 'What a gate would say now, as far as that can be known without running a validator.' });
export type GateStatus = z.infer<typeof gateStatus>;

export const gateExplanation = z
  .object({
    ticketId: id,
    phase: phaseName,
    visit: z.int32(),
    ready: z.boolean().describe('The gate would let the ticket go.'),
    missing: z.array(gateReason).describe('All that it lacks, each thing once. Empty where it is ready.'),
    verdicts: z.array(verdict).describe('What each validator says of it now.'),
  })
  .meta({ id: 'GateExplanation', description: 'What a gate would say now, its validators included. Nothing is recorded.' });
export type GateExplanation = z.infer<typeof gateExplanation>;

export const gateMethods = {
  'gate/status': method({
    summary: 'Tells what the gate of the current phase still lacks. Runs no validator and writes nothing.',
    access: 'read',
    session: false,
    idempotent: true,
    params: readParams({ ticketId: id }),
    result: gateStatus,
    errors: ['ticket_not_found'],
    example: {
      params: { ticketId: ids.ticket },
      result: {
        ticketId: ids.ticket,
        phase: 'FIX',
        visit: 1,
        state: 'blocked',
        met: false,
        missing: [{ code: 'artifact_missing', message: 'There is no artifact test_results in this visit.', artifactType: 'test_results' }],
        stale: false,
      },
    },
  }),
  'gate/explain': method({
    summary:
      'Tells all that the gate of the current phase lacks, its validators included, and writes nothing: what to ask before claiming to be done.',
    access: 'work',
    session: false,
    idempotent: true,
    params: readParams({
      ticketId: id,
      assume: z
        .strictObject({
          completed: z.array(id).max(1_000).default([]).describe('Tasks to be taken for completed, such as the one in hand.'),
          artifacts: z.array(newArtifact).max(1_000).default([]).describe('Evidence to be taken for stored.'),
        })
        .optional()
        .describe('What the caller is about to hand in.'),
    }),
    result: gateExplanation,
    errors: ['ticket_not_found', 'task_not_found', 'artifact_invalid'],
    example: {
      params: { ticketId: ids.ticket },
      result: {
        ticketId: ids.ticket,
        phase: 'FIX',
        visit: 1,
        ready: false,
        missing: [{ code: 'artifact_missing', message: 'There is no artifact test_results in this visit.', artifactType: 'test_results' }],
        verdicts: [],
      },
    },
  }),
  'gate/validate': method({
    summary: 'Judges the gate of the current phase and records the result, bound to the digest of what was judged.',
    access: 'work',
    session: false,
    idempotent: false,
    params: writeParams({
      ticketId: id,
      renew: z.boolean().default(false).describe('Asks anew for approvals that were refused or have expired.'),
    }),
    result: gateResult,
    errors: ['ticket_not_found', 'overloaded'],
    example: { params: { ticketId: ids.ticket }, result: gatePassed },
  }),
  'gate/results': method({
    summary: 'Lists what the gates of a ticket have said, oldest first.',
    access: 'read',
    session: false,
    idempotent: true,
    params: readParams({ ticketId: id, after: id.optional().describe('Only those after this one.'), limit: limit.default(100) }),
    result: z.object({ results: z.array(gateResult), next: nextCursor }),
    errors: ['ticket_not_found'],
    example: { params: { ticketId: ids.ticket }, result: { results: [gatePassed] } },
  }),
};

export const gateEvents = {
  'gate.evaluated': event({
    summary: 'A gate was judged.',
    data: z.object({
      ticketId: id,
      phase: phaseName,
      visit: z.int32(),
      outcome: z.enum(['passed', 'failed']),
      reasons: z.array(gateReason),
      verdicts: z.array(verdict.omit({ findings: true })),
    }),
  }),
};
