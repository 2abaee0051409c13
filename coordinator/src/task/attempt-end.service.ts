import type { AttemptOutcome, RevocationReason, TaskError, TaskState } from '@baton/protocol';
import { sql } from 'kysely';
import { rowsOf } from '../db/rows.ts';
import type { Tx } from '../db/transaction.ts';
import { forgetHolders } from '../lock/lock.service.ts';
import type { EndKey } from './attempt-keys.store.ts';
import { backoffMs, type BackoffLimits } from './backoff.ts';
import { propagateFailure } from './propagate.ts';
import { findAgentNames, toAttemptEvent } from './task.store.ts';
import { noteUnfinished, type UnfinishedAttempt } from './unfinished-attempt.ts';

/** Tells a session that an attempt of its is over; does nothing where the session's connection is elsewhere. */
export interface Sessions {
  revoke(sessionId: string, attempt: { readonly taskId: string; readonly attempt: number; readonly reason: RevocationReason }): void;
}

export interface AttemptEndParts {
  readonly limits: BackoffLimits;
  readonly sessions: Sessions;
}

export interface AttemptEnd extends UnfinishedAttempt {
  readonly outcome: Exclude<AttemptOutcome, 'completed' | 'cancelled'>;
  readonly error: TaskError;
  /** No further attempt can help. */
  readonly permanent: boolean;
  readonly endKey?: EndKey | undefined;
}

export interface AttemptVerdict {
  readonly taskId: string;
  readonly state: TaskState;
  readonly retryInMs?: number;
}

/** As `settleAttempts`, and hands on the locks of the attempts. */
export async function endAttempts(tx: Tx, parts: Pick<AttemptEndParts, 'limits'>, ends: readonly AttemptEnd[]): Promise<AttemptVerdict[]> {
  const verdicts = await settleAttempts(tx, parts, ends);
  await forgetHolders(tx, { attempts: ends.map(({ task }) => ({ taskId: task.id, attempt: task.attempt })) });
  return verdicts;
}

/**
 * Ends attempts that brought no result. A task is tried again after its back-off unless the error is permanent or its
 * attempts are used up; then it has failed, and its dependents are decided about. What they leave is noted. What they hold is
 * left to the caller, who may have more to let go of: the keys of one transaction are locked in one pass.
 */
export async function settleAttempts(
  tx: Tx,
  { limits }: Pick<AttemptEndParts, 'limits'>,
  ends: readonly AttemptEnd[],
): Promise<AttemptVerdict[]> {
  if (ends.length === 0) return [];
  const verdicts = ends.map((end) => ({ ...end, ...judge(end, limits) }));
  await noteUnfinished(tx, ends);
  await writeAttemptEnds(
    tx,
    verdicts.map(({ task, outcome, error, endKey }) => ({ taskId: task.id, attempt: task.attempt, outcome, error, endKey })),
  );
  await rowsOf(
    tx.em,
    sql`update tasks t set state = x.state, attempts_used = x.used, session_id = null, agent_id = null, deadline_at = null, progress = null,
          run_at = clock_timestamp() + x.retry_ms * interval '1 millisecond', delayed = x.retry_ms > 0, error = x.error, waiting_since = null,
          finished_at = case when x.state = 'failed' then clock_timestamp() end
        from jsonb_to_recordset(${JSON.stringify(verdicts.map(({ task, state, used, retryInMs, error }) => ({ id: task.id, state, used, retry_ms: retryInMs, error })))}::jsonb)
          as x(id uuid, state text, used int, retry_ms float8, error jsonb)
        where t.id = x.id`,
  );
  await recordEnds(tx, verdicts);
  const failed = verdicts.filter(({ state }) => state === 'failed');
  await propagateFailure(
    tx,
    failed.map(({ task }) => ({ id: task.id, reason: `${task.title} failed` })),
  );
  return verdicts.map(({ task, state, retryInMs }) => ({ taskId: task.id, state, ...(state === 'ready' && { retryInMs }) }));
}

interface Judgement {
  readonly state: 'ready' | 'failed';
  readonly used: number;
  readonly retryInMs: number;
}

/** What becomes of a task whose attempt has ended without a result. */
function judge({ task, outcome, permanent }: AttemptEnd, limits: BackoffLimits): Judgement {
  // What was given back unused was no try.
  if (outcome === 'released') return { state: 'ready', used: task.attemptsUsed, retryInMs: 0 };
  const used = task.attemptsUsed + 1;
  if (permanent || used >= task.maxAttempts) return { state: 'failed', used, retryInMs: 0 };
  // The agent was lost, not the task, which has waited for the whole lease already.
  return { state: 'ready', used, retryInMs: outcome === 'lost' ? 0 : backoffMs(limits, used, Math.random()) };
}

async function recordEnds(tx: Tx, verdicts: readonly (AttemptEnd & Judgement)[]): Promise<void> {
  const names = await findAgentNames(
    tx.em,
    verdicts.map(({ task }) => task),
  );
  for (const { task, state, outcome, error, retryInMs } of verdicts) {
    const facts = { ...toAttemptEvent(task, names), outcome, error };
    tx.hints.ticketIds.add(task.ticketId);
    if (state === 'failed') {
      tx.record('task.failed', facts);
      continue;
    }
    tx.record('task.requeued', { ...facts, retryInMs });
    if (retryInMs === 0) tx.hints.tasks = true;
    else tx.hints.tasksInMs.push(retryInMs);
  }
}

export interface EndedAttempt {
  readonly taskId: string;
  readonly attempt: number;
  readonly outcome: AttemptOutcome;
  readonly error?: TaskError | undefined;
  readonly endKey?: EndKey | undefined;
}

export const writeAttemptEnds = (tx: Tx, ends: readonly EndedAttempt[]): Promise<unknown[]> =>
  rowsOf(
    tx.em,
    sql`update attempts n set finished_at = clock_timestamp(), outcome = x.outcome, error = x.error, end_key = x."endKey"
        from jsonb_to_recordset(${JSON.stringify(ends)}::jsonb) as x("taskId" uuid, attempt int, outcome text, error jsonb, "endKey" jsonb)
        where n.task_id = x."taskId" and n.number = x.attempt and n.outcome is null`,
  );
