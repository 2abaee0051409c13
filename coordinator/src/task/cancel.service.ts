import { CoordinatorError, next, type RevocationReason, taskMachine, type TaskState } from '@baton/protocol';
import { sql } from 'kysely';
import { rowsOf } from '../db/rows.ts';
import type { Tx } from '../db/transaction.ts';
import { releaseLocks } from '../lock/lock.service.ts';
import { type Sessions, writeAttemptEnds } from './attempt-end.service.ts';
import { propagateFailure } from './propagate.ts';
import { findTaskState, lockTasks, type LockedTask, lockOpenTasksOfVisit, toTaskEvent } from './task.store.ts';

/** Cancels one task. Again is no error; what has ended otherwise stays as it is. */
export async function cancelTask(
  tx: Tx,
  sessions: Sessions,
  { taskId, reason }: { readonly taskId: string; readonly reason?: string | undefined },
): Promise<{ taskId: string; state: TaskState }> {
  const task = await findTaskState(tx.em, tx.projectId, taskId);
  if (task === undefined) throw new CoordinatorError('task_not_found', { taskId });
  if (task.state === 'cancelled') return { taskId, state: task.state };
  if (next(taskMachine, task.state, 'cancel') === undefined) throw new CoordinatorError('task_state_refused', { taskId, state: task.state, step: 'cancel' });

  await cancelLocked(tx, sessions, [task], { reason: reason ?? 'cancelled by hand', told: 'cancelled' });
  await propagateFailure(tx, [{ id: taskId, reason: `${task.title} was cancelled` }]);
  return { taskId, state: 'cancelled' };
}

/** Cancels all that is open in a phase visit which is left: nothing of a closed phase is claimable. */
export async function cancelOpenTasks(tx: Tx, sessions: Sessions, visitId: string, reason: string): Promise<void> {
  const open = await lockOpenTasksOfVisit(tx.em, visitId);
  await cancelLocked(tx, sessions, open, { reason, told: 'phase_closed' });
}

interface Cancellation {
  readonly reason: string;
  /** What the agents of running attempts are told. */
  readonly told: RevocationReason;
}

async function cancelLocked(tx: Tx, sessions: Sessions, tasks: readonly LockedTask[], { reason, told }: Cancellation): Promise<void> {
  if (tasks.length === 0) return;
  const ids = tasks.map(({ id }) => id);
  await rowsOf(
    tx.em,
    sql`update tasks set state = 'cancelled', reason = ${reason}, finished_at = clock_timestamp(), deadline_at = null, waiting_key = null
        where id = any(${ids}::uuid[])`,
  );
  const running = tasks.filter(({ state }) => state === 'running');
  await writeAttemptEnds(tx, running.map(({ id, attempt }) => ({ taskId: id, attempt, outcome: 'cancelled' })));
  for (const task of tasks) {
    tx.record('task.cancelled', { ...toTaskEvent(task), reason });
    tx.hints.ticketIds.add(task.ticketId);
  }
  await releaseLocks(tx, { attempts: running.map(({ id, attempt }) => ({ taskId: id, attempt })) });
  tx.afterCommit(() => {
    for (const { id, attempt, sessionId } of running) if (sessionId !== null) sessions.revoke(sessionId, { taskId: id, attempt, reason: told });
  });
}

/** Gives an ended task a new life, and reopens the dependents that were skipped because of it. */
export async function retryTask(
  tx: Tx,
  { taskId, reason }: { readonly taskId: string; readonly reason?: string | undefined },
): Promise<{ taskId: string; state: TaskState }> {
  const task = await findTaskState(tx.em, tx.projectId, taskId);
  if (task === undefined) throw new CoordinatorError('task_not_found', { taskId });
  if (next(taskMachine, task.state, 'retry') === undefined) throw new CoordinatorError('task_state_refused', { taskId, state: task.state, step: 'retry' });
  await refuseClosedVisit(tx, task);

  const skipped = await rowsOf(
    tx.em,
    sql<{ id: string }>`with recursive behind as (
          select d.task_id as id from task_dependencies d join tasks t on t.id = d.task_id where d.depends_on_id = ${taskId} and t.state = 'skipped'
          union
          select d.task_id from task_dependencies d join behind b on b.id = d.depends_on_id join tasks t on t.id = d.task_id where t.state = 'skipped'
        ) select id from behind`,
  );
  const reopened = await lockTasks(tx.em, [taskId, ...skipped.map(({ id }) => id)]);
  const states = await reopen(tx, reopened.map(({ id }) => id));
  for (const each of reopened) tx.record('task.reopened', { ...toTaskEvent(each), ...(reason !== undefined && { reason }) });
  tx.hints.tasks = true;
  return { taskId, state: states.get(taskId) ?? 'ready' };
}

async function refuseClosedVisit(tx: Tx, { id, visitId, ticketId, phase }: LockedTask): Promise<void> {
  const rows = await rowsOf(tx.em, sql`select 1 from tickets where id = ${ticketId} and visit_id = ${visitId} for key share`);
  if (rows.length === 0) throw new CoordinatorError('phase_closed', { taskId: id, phase });
}

// What is waited for is counted anew: since these tasks ended, others may have been completed or reopened.
async function reopen(tx: Tx, ids: readonly string[]): Promise<Map<string, TaskState>> {
  const rows = await rowsOf(
    tx.em,
    sql<{ id: string; state: TaskState }>`update tasks t
        set pending_dependencies = open.n, state = case when open.n = 0 then 'ready' else 'blocked' end,
            attempts_used = 0, run_at = clock_timestamp(), error = null, reason = null, finished_at = null, started_at = null, session_id = null, agent_id = null
        from (select x.id, (select count(*)::int from task_dependencies d join tasks p on p.id = d.depends_on_id
                            where d.task_id = x.id and (p.id = any(${ids}::uuid[]) or p.state in ('blocked', 'ready', 'running'))) as n
              from unnest(${ids}::uuid[]) as x(id)) open
        where t.id = open.id returning t.id, t.state`,
  );
  return new Map(rows.map(({ id, state }) => [id, state]));
}
