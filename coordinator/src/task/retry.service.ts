import { CoordinatorError, next, taskMachine, type TaskState } from '@baton/protocol';
import { sql } from 'kysely';
import { rowsOf } from '../db/rows.ts';
import type { Tx } from '../db/transaction.ts';
import { holdPlaces } from './fence.store.ts';
import { countOpenTasksOf, raiseOpenTaskBounds, writeOpenTaskBounds } from './open-tasks.store.ts';
import { chooseReopened } from './retry-rules.ts';
import { listNeighbours, listSkippedBehind, listUnsuccessful, reopenTasks, waitAgain } from './retry.store.ts';
import { refuseTooManyOpen, type SubmitLimits } from './submit-rules.ts';
import { lockTasks, type LockedTask, toTaskEvent } from './task.store.ts';

/**
 * Gives an ended task a new life, and reopens the dependents that were skipped because of it alone. What runs without it and has
 * not become ready waits for it again.
 */
export async function retryTask(
  tx: Tx,
  limits: Pick<SubmitLimits, 'ticketTasksMax'>,
  { taskId, reason }: { readonly taskId: string; readonly reason?: string | undefined },
): Promise<{ taskId: string; state: TaskState }> {
  await holdPlaces(tx, [taskId]);
  const { task, locked } = await lockBehind(tx, taskId);
  if (next(taskMachine, task.state, 'retry') === undefined)
    throw new CoordinatorError('task_state_refused', { taskId, state: task.state, step: 'retry' });
  await refuseClosedVisit(tx, task);
  await refuseWithoutDependencies(tx, task);

  const stillBehind = new Set([taskId, ...chooseReopened(taskId, await listSkippedBehind(tx.em, taskId))]);
  const reopened = locked.filter(({ id }) => stillBehind.has(id));
  const ids = reopened.map(({ id }) => id);
  await makeRoom(tx, limits, { visitId: task.visitId, added: ids.length });
  const states = await reopenTasks(tx.em, ids);
  await waitAgain(tx.em, ids);
  for (const each of reopened) tx.record('task.reopened', { ...toTaskEvent(each), ...(reason !== undefined && { reason }) });
  tx.hints.tasks = true;
  return { taskId, state: states.get(taskId) ?? 'ready' };
}

/**
 * Locks a task with what was skipped behind it, all that these depend on and all that waits for them: found without a lock and
 * locked once in the order of ids, as every transaction does. None of them ends while what is waited for is counted.
 */
async function lockBehind(tx: Tx, taskId: string): Promise<{ task: LockedTask; locked: LockedTask[] }> {
  const found = [taskId, ...chooseReopened(taskId, await listSkippedBehind(tx.em, taskId))];
  const locked = await lockTasks(tx, [...new Set([...found, ...(await listNeighbours(tx.em, found))])]);
  const task = locked.find(({ id }) => id === taskId);
  if (task === undefined) throw new CoordinatorError('task_not_found', { taskId });
  return { task, locked };
}

async function refuseClosedVisit(tx: Tx, { id, visitId, ticketId, phase }: LockedTask): Promise<void> {
  const rows = await rowsOf(tx.em, sql`select 1 from tickets where id = ${ticketId} and visit_id = ${visitId} for key share`);
  if (rows.length === 0) throw new CoordinatorError('phase_closed', { taskId: id, phase });
}

async function refuseWithoutDependencies(tx: Tx, { id, state }: LockedTask): Promise<void> {
  const missing = await listUnsuccessful(tx.em, id);
  if (missing.length === 0) return;
  const names = missing.map((each) => `"${each.title}" (${each.state})`).join(', ');
  throw new CoordinatorError('task_state_refused', {
    taskId: id,
    state,
    step: 'retry',
    message: `It depends on ${names}: retry that first.`,
  });
}

/** Reopened tasks are open tasks of their ticket like new ones. The visit is held. */
async function makeRoom(
  { em }: Tx,
  { ticketTasksMax }: Pick<SubmitLimits, 'ticketTasksMax'>,
  { visitId, added }: { readonly visitId: string; readonly added: number },
): Promise<void> {
  const before = (await raiseOpenTaskBounds(em, new Map([[visitId, added]]))).get(visitId) ?? 0;
  if (before + added <= ticketTasksMax) return;
  const open = (await countOpenTasksOf(em, new Map([[visitId, ticketTasksMax - added + 1]]))).get(visitId) ?? 0;
  refuseTooManyOpen({ ticketTasksMax }, { path: 'taskId', open, added });
  await writeOpenTaskBounds(em, new Map([[visitId, open + added]]));
}
