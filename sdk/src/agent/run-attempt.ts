import { type Claim, type Client, CoordinatorError, type NewContextItem } from '@baton/protocol';
import { setTimeout as delay } from 'node:timers/promises';
import { ConnectionError } from '../connection/wire-errors.ts';
import { type AgentLog, withSubject } from './agent-log.ts';
import type { Executor } from './executor.ts';
import { createNoteSender, isPassing, sendLate } from './note-sender.ts';
import { type AbortReason, type CompletedOutcome, type FailedOutcome, failedOutcome, type TaskOutcome } from './outcome.ts';
import { TaskAbortedError } from './task-errors.ts';

export interface AttemptParts {
  readonly client: Client;
  readonly executor: Executor;
  readonly graceMs: number;
  readonly log: AgentLog;
}

/** How an attempt ended, as the agent sees it. `dropped`: it was no longer ours, and nothing was recorded but what it had noted. */
export type AttemptEnd = 'completed' | 'failed' | 'released' | 'dropped';

export interface RunningAttempt {
  readonly claim: Claim;
  /** Tells the task to stop; how the attempt ended is still reported. */
  abort(reason: AbortReason): void;
  /** The coordinator has ended the attempt: the task is told to stop, and only what it noted is handed in. A report under way gets its answer. */
  revoke(reason: AbortReason): void;
  /** Settles when the attempt has ended here and the coordinator knows. Never rejects. */
  readonly done: Promise<AttemptEnd>;
}

/** How long to wait before a report is sent again that a busy coordinator has not taken. */
const reportRetryMs = 1_000;

/** Does one claim, from the start of its clock to the report of its end. */
export function startAttempt({ client, executor, graceMs, log: agentLog }: AttemptParts, claim: Claim): RunningAttempt {
  const { taskId, attempt, timeoutMs } = claim;
  const log = withSubject(agentLog, `${claim.ref ?? claim.type}#${attempt}`);
  const abort = new AbortController();
  let isRevoked = false;
  let abortReason: AbortReason | undefined;
  let isReporting = false;
  const notes = createNoteSender(client, claim);

  const stop = (reason: AbortReason) => {
    abortReason ??= reason;
    abort.abort(new TaskAbortedError(reason));
  };

  const run = async (): Promise<AttemptEnd> => {
    const startedAt = performance.now();
    log.debug('began');
    const timer = setTimeout(() => stop('timed_out'), timeoutMs);
    const outcome = await executor.execute(claim, { signal: abort.signal, graceMs, log, note: notes.take });
    clearTimeout(timer);
    // A task that was left behind may go on, and every try of a report has to say the same.
    const context = notes.stop();
    if (isRevoked) {
      log.info('stopped; the attempt had been ended by the coordinator', { reason: abortReason });
      return drop(context);
    }
    isReporting = true;
    const end = await report(judge(outcome, abortReason, timeoutMs), context);
    if (end === 'completed') log.info(`completed in ${Math.round(performance.now() - startedAt)} ms`);
    return end;
  };

  const report = async (end: AttemptReport, context: readonly NewContextItem[]): Promise<AttemptEnd> => {
    try {
      await sendUntilTaken(end, context, { client, taskId, attempt });
      // No warning: the coordinator tells everybody who follows the ticket.
      if (end.kind === 'failed') log.info(`failed: ${end.error.message}`, { code: end.error.code, permanent: end.permanent });
      return end.kind;
    } catch (error) {
      if (isStale(error) || isLeaving(error)) {
        log.info('the result came too late and was dropped', { reason: abortReason });
        return drop(context);
      }
      const message = error instanceof Error ? error.message : String(error);
      log.error(`the coordinator refused the result: ${message}`);
      // A result that the coordinator will never take is a failure of the task, and is told as one.
      if (end.kind === 'completed') return report(refused(error, message), context);
      // Its details are the task's own, and may be what no message carries.
      if (end.kind === 'failed' && end.error.details !== undefined) return report(withoutDetails(end), context);
      if (context.length === 0) return 'dropped';
      log.error(`its ${context.length} notes are left out`);
      return report(end, []);
    }
  };

  const drop = async (context: readonly NewContextItem[]): Promise<AttemptEnd> => {
    const lost = await sendLate(client, claim, context);
    if (lost > 0) log.error(`${lost} of its notes could not be handed in`);
    return 'dropped';
  };

  return {
    claim,
    abort: stop,
    revoke(reason) {
      // An attempt that is over is held no more: a beat may say so before the answer to the report does, which knows better.
      isRevoked ||= !isReporting;
      stop(reason);
    },
    done: run().catch((error: unknown) => {
      log.error(`the attempt could not be run: ${error instanceof Error ? error.message : String(error)}`);
      return 'dropped' as const;
    }),
  };
}

type AttemptReport = TaskOutcome | { readonly kind: 'released' };

/** What to tell the coordinator: an attempt that was stopped by its clock has timed out, whatever it says of itself. */
function judge(outcome: TaskOutcome, abortReason: AbortReason | undefined, timeoutMs: number): AttemptReport {
  if (abortReason === 'timed_out') return failedOutcome('timed_out', `The attempt took longer than the ${timeoutMs} ms it may take.`);
  if (abortReason === 'draining' && outcome.kind === 'failed' && !outcome.permanent) return { kind: 'released' };
  return outcome;
}

interface ReportTarget {
  readonly client: Client;
  readonly taskId: string;
  readonly attempt: number;
}

/** Sends the report until it is taken or refused. One key for all tries: a report that arrived and whose answer was lost has its effect once. */
async function sendUntilTaken(
  report: AttemptReport,
  context: readonly NewContextItem[],
  { client, taskId, attempt }: ReportTarget,
): Promise<void> {
  const given = { taskId, attempt, idempotencyKey: crypto.randomUUID(), context: [...context] };
  for (;;) {
    try {
      if (report.kind === 'released') await client.task.release({ ...given, reason: 'The agent is shutting down.' });
      else if (report.kind === 'failed') await client.task.fail({ ...given, error: report.error, permanent: report.permanent });
      else await client.task.complete({ ...given, ...resultOf(report) });
      return;
    } catch (error) {
      if (!isPassing(error)) throw error;
      await delay(reportRetryMs);
    }
  }
}

const resultOf = ({ output, summary, artifacts }: CompletedOutcome) => ({
  ...(output === undefined ? {} : { output }),
  ...(summary === undefined ? {} : { summary }),
  artifacts: [...artifacts],
});

const withoutDetails = ({ error: { code, message }, ...end }: FailedOutcome): FailedOutcome => ({ ...end, error: { code, message } });

const refused = (error: unknown, message: string): FailedOutcome =>
  failedOutcome('result_refused', `The coordinator refused the result: ${message}`, {
    permanent: true,
    ...(error instanceof CoordinatorError ? { details: { kind: error.kind, fields: (error.data['fields'] ?? []) as never } } : {}),
  });

/** The agent has ended its connection: it goes, and the coordinator finds out by itself. */
const isLeaving = (error: unknown) => error instanceof ConnectionError && error.failure === 'closed';

const isStale = (error: unknown) =>
  error instanceof CoordinatorError &&
  (error.kind === 'claim_stale' || error.kind === 'session_unknown' || error.kind === 'session_required');
