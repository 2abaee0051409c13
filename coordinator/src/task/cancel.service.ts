import { CoordinatorError, next, type RevocationReason, taskMachine, type TaskState } from '@baton/protocol';
import { sql } from 'kysely';
import { rowsOf } from '../db/rows.ts';
import type { Tx } from '../db/transaction.ts';
import { forgetHolders } from '../lock/lock.service.ts';
import { type Sessions, writeAttemptEnds } from './attempt-end.service.ts';
import { propagateFailure } from './propagate.ts';
import { findTaskState, type LockedTask, lockOpenTasksOfVisit, toTaskEvent } from './task.store.ts';

/** Cancels one task. Again is no error; what has ended otherwise stays as it is. */
export async function cancelTask(
  tx: Tx,
  sessions: Sessions,
  { taskId, reason }: { readonly taskId: string; readonly reason?: string | undefined },
): Promise<{ taskId: string; state: TaskState }> {
  const task = await findTaskState(tx.em, tx.projectId, taskId);
  if (task === undefined) throw new CoordinatorError('task_not_found', { taskId });
  if (task.state === 'cancelled') return { taskId, state: task.state };
  if (next(taskMachine, task.state, 'cancel') === undefined)
    throw new CoordinatorError('task_state_refused', { taskId, state: task.state, step: 'cancel' });

  await markCancelled(tx, sessions, [task], { reason: reason ?? 'cancelled by hand', told: 'cancelled' });
  await propagateFailure(tx, [{ id: taskId, reason: `${task.title} was cancelled` }]);
  await forgetHolders(tx, { attempts: [{ taskId, attempt: task.attempt }] });
  return { taskId, state: 'cancelled' };
}

/** Cancels all that is open in a phase visit which is left: nothing of a closed phase is claimable. */
export async function cancelOpenTasks(tx: Tx, sessions: Sessions, visitId: string, reason: string): Promise<void> {
  const open = await lockOpenTasksOfVisit(tx.em, visitId);
  await markCancelled(tx, sessions, open, { reason, told: 'phase_closed' });
  await forgetHolders(tx, { attempts: open.map(({ id, attempt }) => ({ taskId: id, attempt })) });
}

interface Cancellation {
  readonly reason: string;
  /** What the agents of running attempts are told. */
  readonly told: RevocationReason;
}

/** Their locks are released by the caller, after all tasks that this concerns are locked. */
async function markCancelled(tx: Tx, sessions: Sessions, tasks: readonly LockedTask[], { reason, told }: Cancellation): Promise<void> {
  if (tasks.length === 0) return;
  const ids = tasks.map(({ id }) => id);
  await rowsOf(
    tx.em,
    sql`update tasks set state = 'cancelled', reason = ${reason}, finished_at = clock_timestamp(), deadline_at = null, waiting_key = null
        where id = any(${ids}::uuid[])`,
  );
  const running = tasks.filter(({ state }) => state === 'running');
  await writeAttemptEnds(
    tx,
    running.map(({ id, attempt }) => ({ taskId: id, attempt, outcome: 'cancelled' })),
  );
  for (const task of tasks) {
    tx.record('task.cancelled', { ...toTaskEvent(task), reason });
    tx.hints.ticketIds.add(task.ticketId);
  }
  tx.afterCommit(() => {
    for (const { id, attempt, sessionId } of running)
      if (sessionId !== null) sessions.revoke(sessionId, { taskId: id, attempt, reason: told });
  });
}
