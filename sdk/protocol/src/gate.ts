import { z } from 'zod';
import { newArtifact } from './artifact.ts';
import { event, method, readParams, writeParams } from './define.ts';
import { ids } from './story/cast.ts';
import { gatePassed } from './story/evidence.ts';
import { id, limit, nextCursor, phaseName, sha256, timestamp } from './values.ts';

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
      'approval_later',
      'approval_impossible',
      'gate_skipped',
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
    phase: phaseName.optional().describe('The phase whose gate a way would skip.'),
    more: z
      .int()
      .min(1)
      .optional()
      .describe('Stands for so many more reasons with this code, which are not listed; the message says where they are.'),
  })
  .meta({
    id: 'GateReason',
    description:
      'Why a gate does not let a ticket go. `code` is for programs, `message` for people. `approval_later` is an approval that is asked for once the rest is there; `approval_impossible` one that too few may give, since the others made what is to be approved; `gate_skipped` stands against a way that leads around a gate.',
  });
export type GateReason = z.infer<typeof gateReason>;

export const judgedArtifact = z
  .object({ artifactId: id, type: z.string(), name: z.string(), version: z.int32(), sha256 })
  .meta({ id: 'JudgedArtifact', description: 'The version of an artifact that was judged.' });
export type JudgedArtifact = z.infer<typeof judgedArtifact>;

export const gateResult = z
  .object({
    id,
    ticketId: id,
    phase: phaseName,
    visit: z.int32(),
    outcome: z.enum(['passed', 'failed']),
    digest: sha256.describe(
      'Of all that was judged: the gate, the versions of the artifacts, the tasks and, where validators are asked, the attempts and what the ticket says of itself. Another digest makes the result stale.',
    ),
    judged: z.array(judgedArtifact),
    reasons: z.array(gateReason).describe('Why it was not passed, all at once.'),
    verdicts: z.array(verdict).describe('What each validator said.'),
    durationMs: z.number(),
    createdAt: timestamp,
    verdictsOf: id
      .optional()
      .describe('The earlier result whose verdicts these are: validators would have been shown the same again, and were not asked.'),
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
    met: z
      .boolean()
      .describe(
        'All that is known without running a validator is in order. Where `result` is absent or `stale`, the validators have yet to say what they make of it: the next transition asks them.',
      ),
    missing: z
      .array(gateReason)
      .describe('All of it at once, with what the validators said in the newest result where that judged what is there now.'),
    result: gateResult.optional().describe('The newest result of this visit.'),
    stale: z
      .boolean()
      .describe(
        'The result judged something else than what is there now, or a program took part in it and that was too long ago. It opens the gate no more, whatever `met` says.',
      ),
  })
  .meta({ id: 'GateStatus', description: 'What a gate would say now, as far as that can be known without running a validator.' });
export type GateStatus = z.infer<typeof gateStatus>;

export const gateExplanation = z
  .object({
    ticketId: id,
    phase: phaseName,
    visit: z.int32(),
    ready: z.boolean().describe('The gate would let the ticket go.'),
    missing: z
      .array(gateReason)
      .describe('All that it lacks, each thing once, with the approvals that it will ask for. Empty where it is ready.'),
    verdicts: z.array(verdict).describe('What each validator says of it now.'),
  })
  .meta({
    id: 'GateExplanation',
    description:
      'What a gate would say now, its validators included. Nothing is recorded, and what could not be stored is refused as it would be then.',
  });
export type GateExplanation = z.infer<typeof gateExplanation>;

const assumedArtifact = newArtifact
  .safeExtend({
    taskId: id
      .optional()
      .describe(
        'The task of this visit whose newest attempt is to have made it, for validators that ask who made what. Without it nobody.',
      ),
  })
  .meta({ id: 'AssumedArtifact', description: 'A piece of evidence that is to be taken for stored.' });

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
          completed: z
            .array(id)
            .max(1_000)
            .default([])
            .describe('Open tasks to be taken for completed, such as the one in hand. Those that are completed already change nothing.'),
          artifacts: z.array(assumedArtifact).max(1_000).default([]).describe('Evidence to be taken for stored.'),
        })
        .optional()
        .describe('What the caller is about to hand in.'),
    }),
    result: gateExplanation,
    errors: [
      'ticket_not_found',
      'task_not_found',
      'task_state_refused',
      'phase_closed',
      'artifact_invalid',
      'limit_exceeded',
      'overloaded',
    ],
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
      renew: z
        .boolean()
        .default(false)
        .describe(
          'Asks anew for approvals that were refused or have expired. What was refused only an operator asks for anew who is no author.',
        ),
    }),
    result: gateResult,
    errors: ['ticket_not_found', 'approval_not_yours', 'overloaded'],
    example: { params: { ticketId: ids.ticket }, result: gatePassed },
  }),
  'gate/results': method({
    summary:
      'Lists what the gates of a ticket have said, oldest first. A page has about a megabyte at most, even where it has fewer than `limit`.',
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
