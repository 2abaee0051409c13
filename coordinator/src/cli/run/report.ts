import { ticketStates } from '@baton/protocol';
import { z } from 'zod';
import { runOutcomes } from './run-record.ts';

const ms = z.number().describe('in ms');
const reasons = z.array(z.object({ code: z.string(), message: z.string() }));

/** What a run came to, as `--report FILE` and `--json` give it. */
export const runReport = z.object({
  version: z.literal(1),
  plan: z.string(),
  runId: z.string(),
  /** `done`: the ticket is closed. `blocked`: its gate refused, or someone blocked it. `failed`: nobody could go on with it. */
  outcome: z.enum(runOutcomes),
  /** Why it is not done. */
  reason: z.string().optional(),
  startedAt: z.iso.datetime(),
  durationMs: ms,
  workspace: z.string().optional(),
  ticket: z.object({ id: z.string(), title: z.string(), phase: z.string(), state: z.enum(ticketStates) }),
  /** Every visit in order: a phase that was visited twice is here twice. */
  phases: z.array(
    z.object({
      phase: z.string(),
      visit: z.int(),
      kind: z.string().optional(),
      by: z.string(),
      reason: z.string().optional(),
      enteredAt: z.string(),
      durationMs: ms,
    }),
  ),
  tasks: z.object({
    total: z.int(),
    byState: z.record(z.string(), z.int()),
    attempts: z.int(),
    /** Attempts that ended without a result and were followed by another. */
    retries: z.int(),
    list: z.array(
      z.object({
        id: z.string(),
        ref: z.string().optional(),
        type: z.string(),
        title: z.string(),
        phase: z.string(),
        visit: z.int(),
        state: z.string(),
        parentTaskId: z.string().optional(),
        summary: z.string().optional(),
        error: z.string().optional(),
        attempts: z.array(
          z.object({
            number: z.int(),
            agent: z.string(),
            outcome: z.string().optional(),
            durationMs: ms.optional(),
            lockWaitMs: ms,
            error: z.string().optional(),
          }),
        ),
      }),
    ),
  }),
  gates: z.array(
    z.object({
      phase: z.string(),
      visit: z.int(),
      outcome: z.enum(['passed', 'failed']),
      reasons,
      verdicts: z.array(z.object({ validator: z.string(), requirement: z.string(), outcome: z.string(), findings: z.array(z.string()) })),
    }),
  ),
  artifacts: z.array(
    z.object({
      type: z.string(),
      name: z.string(),
      version: z.int(),
      phase: z.string(),
      visit: z.int(),
      author: z.string(),
      sizeBytes: z.int(),
      sha256: z.string(),
    }),
  ),
  locks: z.object({
    /** Tasks that found a declared lock taken. */
    waits: z.array(
      z.object({ taskId: z.string(), title: z.string(), key: z.string(), heldBy: z.array(z.string()), waitedMs: ms.optional() }),
    ),
    /** Of all attempts together. */
    waitedMs: ms,
  }),
  context: z.object({ items: z.int() }),
  agents: z.array(z.object({ name: z.string(), restarts: z.int() })),
});
export type RunReport = z.infer<typeof runReport>;
