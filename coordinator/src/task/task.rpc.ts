import { CoordinatorError } from '@baton/protocol';
import { sql } from 'kysely';
import type { ArtifactLimits } from '../artifact/artifact.service.ts';
import type { HandlersOf } from '../call.ts';
import { answerOf } from '../db/outcome.ts';
import { createProjectBatcher } from '../db/project-batcher.ts';
import { findRow } from '../db/rows.ts';
import { type Database, transact, write } from '../db/transaction.ts';
import { type GroupedCall, writeGroup } from '../db/write-group.ts';
import { getTicket } from '../ticket/ticket.store.ts';
import type { Sessions } from './attempt-end.service.ts';
import type { BackoffLimits } from './backoff.ts';
import { cancelTask, cancelTasksOf } from './cancel.service.ts';
import type { ClaimQueue } from './claim-queue.ts';
import { prepareClaims } from './claim.service.ts';
import { type Completion, completeTasks, type Failure, failTasks } from './complete.service.ts';
import { listDeadLetters } from './dead-letters.store.ts';
import { retryTask } from './retry.service.ts';
import type { SubmitLimits } from './submit-rules.ts';
import { type Submission, type Submitted, submitTasks } from './submit.service.ts';
import { getTask, listTasks } from './task.store.ts';

export interface TaskParts {
  readonly db: Database;
  readonly queue: ClaimQueue;
  readonly sessions: Sessions;
  readonly limits: SubmitLimits & BackoffLimits & ArtifactLimits & GroupLimits;
}

interface GroupLimits {
  readonly completionBatchMax: number;
  readonly completionsWaitingMax: number;
  readonly submissionBatchMax: number;
  readonly submissionsWaitingMax: number;
}

/** A submission of more tasks has a transaction of its own: it is a batch already, and nobody should wait behind it. */
const groupedTasksMax = 50;

export const taskHandlers = (parts: TaskParts): HandlersOf<'task'> => {
  const { db, queue, sessions, limits } = parts;
  const ending = { itemsMax: limits.completionBatchMax, waitingMax: limits.completionsWaitingMax };
  const complete = createProjectBatcher(
    (projectId, completions: readonly Completion[]) => transact(db, projectId, (tx) => completeTasks(tx, limits, completions)),
    ending,
  );
  const fail = createProjectBatcher(
    (projectId, failures: readonly Failure[]) => transact(db, projectId, (tx) => failTasks(tx, { limits }, failures)),
    ending,
  );
  const submitAll = (projectId: string, calls: readonly GroupedCall<Submission>[]) =>
    writeGroup<Submission, Submitted>(db, projectId, calls, (tx, fresh) =>
      submitTasks(
        tx,
        limits,
        fresh.map(({ params }) => params),
      ),
    );
  const submit = createProjectBatcher(submitAll, { itemsMax: limits.submissionBatchMax, waitingMax: limits.submissionsWaitingMax });

  return {
    'task/submit': async (params, call) => {
      const { projectId } = call.caller;
      const submission = { call, params: { ...params, sessionId: call.session?.sessionId } };
      if (params.tasks.length <= groupedTasksMax) return submit(projectId, submission);
      return answerOf((await submitAll(projectId, [submission]))[0]);
    },
    'task/get': ({ taskId }, { em, caller }) => getTask(em, caller.projectId, taskId),

    'task/list': async (query, { em, caller }) => {
      if (query.ticketId !== undefined) await getTicket(em, caller.projectId, query.ticketId);
      return listTasks(em, { ...query, projectId: caller.projectId });
    },

    'task/claim': async ({ max, waitMs, idempotencyKey }, { em, session, caller, signal }) => {
      const { projectId } = caller;
      const tasks = await queue.claim({ projectId, sessionId: session.sessionId, max, waitMs, claimKey: idempotencyKey, signal });
      return { claims: await prepareClaims({ db, limits }, em, projectId, tasks) };
    },

    'task/progress': async ({ taskId, attempt, progress }, { em, session }) => {
      const told = await findRow(
        em,
        sql`update tasks set progress = ${JSON.stringify(progress)}::jsonb
            where id = ${taskId} and attempt = ${attempt} and session_id = ${session.sessionId} and state = 'running' returning id`,
      );
      if (told === undefined) throw new CoordinatorError('claim_stale', { taskId, attempt });
      return {};
    },

    'task/complete': ({ idempotencyKey: _, ...completion }, { session, caller }) =>
      complete(caller.projectId, { ...completion, sessionId: session.sessionId }),

    'task/fail': ({ idempotencyKey: _, ...failure }, { session, caller }) =>
      fail(caller.projectId, {
        ...failure,
        sessionId: session.sessionId,
        outcome: failure.error.code === 'timed_out' ? 'timed_out' : 'failed',
      }),

    'task/release': ({ taskId, attempt, reason }, { session, caller }) => {
      const error = { code: 'released', message: reason ?? 'The agent gave the task back.' };
      return fail(caller.projectId, {
        taskId,
        attempt,
        error,
        sessionId: session.sessionId,
        outcome: 'released',
        permanent: false,
        context: [],
      });
    },

    'task/cancel': (params, call) => write(db, call, params, (tx) => cancelTask(tx, sessions, params)),
    'task/cancelAll': (params, call) => write(db, call, params, (tx) => cancelTasksOf(tx, sessions, params)),
    'task/retry': (params, call) => write(db, call, params, (tx) => retryTask(tx, params)),

    'task/deadLetters': async (query, { em, caller }) => {
      if (query.ticketId !== undefined) await getTicket(em, caller.projectId, query.ticketId);
      return listDeadLetters(em, { ...query, projectId: caller.projectId });
    },
  };
};
