import { CoordinatorError } from '@baton/protocol';
import { sql } from 'kysely';
import type { ArtifactLimits } from '../artifact/artifact.service.ts';
import type { HandlersOf } from '../call.ts';
import { createBatcher } from '../db/batcher.ts';
import { findRow } from '../db/rows.ts';
import { type Database, transact, write } from '../db/transaction.ts';
import { getTicket } from '../ticket/ticket.store.ts';
import type { Sessions } from './attempt-end.service.ts';
import type { BackoffLimits } from './backoff.ts';
import { cancelTask } from './cancel.service.ts';
import type { ClaimQueue } from './claim-queue.ts';
import { prepareClaims } from './claim.service.ts';
import { type CallOutcome, type Completion, completeTasks, type Failure, failTasks } from './complete.service.ts';
import { retryTask } from './retry.service.ts';
import { type SubmitLimits, submitTasks } from './submit.service.ts';
import { getTask, listTasks } from './task.store.ts';

export interface TaskParts {
  readonly db: Database;
  readonly queue: ClaimQueue;
  readonly sessions: Sessions;
  readonly limits: SubmitLimits & BackoffLimits & ArtifactLimits & CompletionLimits;
}

interface CompletionLimits {
  readonly completionBatchMax: number;
  readonly completionsWaitingMax: number;
}

export const taskHandlers = (parts: TaskParts): HandlersOf<'task'> => {
  const { db, queue, sessions, limits } = parts;
  const complete = perProject(
    (projectId, completions: readonly Completion[]) => transact(db, projectId, (tx) => completeTasks(tx, limits, completions)),
    limits,
  );
  const fail = perProject(
    (projectId, failures: readonly Failure[]) => transact(db, projectId, (tx) => failTasks(tx, { limits }, failures)),
    limits,
  );

  return {
    'task/submit': (params, call) =>
      write(db, call, params, (tx) => submitTasks(tx, limits, { ...params, sessionId: call.session?.sessionId })),
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
    'task/retry': (params, call) => write(db, call, params, (tx) => retryTask(tx, params)),
  };
};

/** Groups the calls of each project, and gives each its own answer or error. */
function perProject<Item, Answer>(
  run: (projectId: string, items: readonly Item[]) => Promise<CallOutcome<Answer>[]>,
  { completionBatchMax, completionsWaitingMax }: CompletionLimits,
): (projectId: string, item: Item) => Promise<Answer> {
  const batchers = new Map<string, (item: Item) => Promise<CallOutcome<Answer>>>();
  return async (projectId, item) => {
    const batcher =
      batchers.get(projectId) ??
      createBatcher((items: readonly Item[]) => run(projectId, items), { itemsMax: completionBatchMax, waitingMax: completionsWaitingMax });
    batchers.set(projectId, batcher);
    const outcome = await batcher(item);
    if ('error' in outcome) throw outcome.error;
    return outcome.ok;
  };
}
