import { CoordinatorError } from '@baton/protocol';
import { sql } from 'kysely';
import type { ArtifactSchemas } from '../artifact/artifact-schemas.ts';
import type { ArtifactLimits } from '../artifact/artifact.service.ts';
import type { HandlersOf } from '../call.ts';
import type { PackParts } from '../context/pack.service.ts';
import { toKeyedCall } from '../db/idempotency.store.ts';
import { answerOf } from '../db/outcome.ts';
import { createGroupedRead } from '../db/grouped-read.ts';
import { createProjectBatcher } from '../db/project-batcher.ts';
import { findRow } from '../db/rows.ts';
import { type Database, transact, write } from '../db/transaction.ts';
import { type GroupedCall, writeGroup } from '../db/write-group.ts';
import { getTicket } from '../ticket/ticket.store.ts';
import type { Sessions } from './attempt-end.service.ts';
import { toEndKey } from './attempt-keys.store.ts';
import type { BackoffLimits } from './backoff.ts';
import { cancelTask, cancelTasksOf } from './cancel.service.ts';
import type { ClaimQueue } from './claim-queue.ts';
import { prepareClaims } from './claim.service.ts';
import { type Completion, completeTasks, type Failure, failTasks } from './complete.service.ts';
import { listDeadLetters } from './dead-letters.store.ts';
import { findHeldTickets, findTicketsOf } from './places.store.ts';
import { retryTask } from './retry.service.ts';
import type { SubmitLimits } from './submit-rules.ts';
import { type NewSubmission, type Submitted, submitTasks } from './submit.service.ts';
import { getTask, listTasks } from './task.store.ts';

export interface TaskParts {
  readonly db: Database;
  readonly queue: ClaimQueue;
  readonly sessions: Sessions;
  readonly schemas: ArtifactSchemas;
  readonly packs: PackParts;
  readonly limits: SubmitLimits & BackoffLimits & ArtifactLimits & GroupLimits;
}

/** A call that ends an attempt, and the ticket of the task. */
interface Placed<T> {
  readonly end: T;
  readonly ticketId: string;
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
  const { db, queue, sessions, schemas, packs, limits } = parts;
  const findHeld = (ticketIds: readonly string[]) => findHeldTickets(db.em.fork(), ticketIds);
  const findTicket = createGroupedRead((taskIds: readonly string[]) => findTicketsOf(db.em.fork(), taskIds));
  // What is not there holds nobody up.
  const placed = async <T extends { readonly taskId: string }>(end: T) => ({ end, ticketId: (await findTicket(end.taskId)) ?? end.taskId });
  const ending = {
    itemsMax: limits.completionBatchMax,
    waitingMax: limits.completionsWaitingMax,
    ticketOf: ({ ticketId }: { readonly ticketId: string }) => ticketId,
    findHeld,
  };
  const complete = createProjectBatcher(
    (projectId, placed: readonly Placed<Completion>[]) =>
      transact(db, projectId, (tx) =>
        completeTasks(
          tx,
          limits,
          placed.map(({ end }) => end),
        ),
      ),
    ending,
  );
  const fail = createProjectBatcher(
    (projectId, placed: readonly Placed<Failure>[]) =>
      transact(db, projectId, (tx) =>
        failTasks(
          tx,
          { limits },
          placed.map(({ end }) => end),
        ),
      ),
    ending,
  );
  const submitAll = (projectId: string, calls: readonly GroupedCall<NewSubmission>[]) =>
    writeGroup<NewSubmission, Submitted>(db, projectId, calls, (tx, fresh) =>
      submitTasks(
        tx,
        limits,
        fresh.map(({ call, params }) => ({ ...params, sessionId: call.session?.sessionId })),
      ),
    );
  const submit = createProjectBatcher(submitAll, {
    itemsMax: limits.submissionBatchMax,
    waitingMax: limits.submissionsWaitingMax,
    ticketOf: ({ params }) => params.ticketId,
    findHeld,
  });

  return {
    'task/submit': async (params, call) => {
      const { projectId } = call.caller;
      const submission = { call, params };
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
      return { claims: await prepareClaims({ db, limits, packs }, em, projectId, tasks) };
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

    'task/complete': async (params, call) => {
      const { idempotencyKey: _, ...completion } = params;
      const { sessionId } = call.session;
      const { projectId, tokenId: id, name, role } = call.caller;
      const endKey = toEndKey(toKeyedCall(call, params));
      const { end, ticketId } = await placed({ ...completion, sessionId, token: { id, name, role }, endKey });
      const fault = await schemas.findFault(ticketId, completion.artifacts);
      return complete(projectId, { ticketId, end: { ...end, fault } });
    },

    'task/fail': async (params, call) => {
      const { idempotencyKey: _, ...failure } = params;
      const { sessionId } = call.session;
      const outcome = failure.error.code === 'timed_out' ? ('timed_out' as const) : ('failed' as const);
      return fail(
        call.caller.projectId,
        await placed({ ...failure, sessionId, role: call.caller.role, outcome, endKey: toEndKey(toKeyedCall(call, params)) }),
      );
    },

    'task/release': async (params, call) => {
      const { taskId, attempt, reason, context } = params;
      const { sessionId } = call.session;
      const error = { code: 'released', message: reason ?? 'The agent gave the task back.' };
      const { role } = call.caller;
      const release = { taskId, attempt, sessionId, role, error, outcome: 'released' as const, permanent: false, context };
      return fail(call.caller.projectId, await placed({ ...release, endKey: toEndKey(toKeyedCall(call, params)) }));
    },

    'task/cancel': (params, call) => write(db, call, params, (tx) => cancelTask(tx, sessions, params)),
    'task/cancelAll': (params, call) => write(db, call, params, (tx) => cancelTasksOf(tx, sessions, params)),
    'task/retry': (params, call) => write(db, call, params, (tx) => retryTask(tx, limits, params)),

    'task/deadLetters': async (query, { em, caller }) => {
      if (query.ticketId !== undefined) await getTicket(em, caller.projectId, query.ticketId);
      return listDeadLetters(em, { ...query, projectId: caller.projectId });
    },
  };
};
