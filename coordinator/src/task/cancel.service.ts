import { CoordinatorError, type Params, type Result, type RevocationReason, sourcesOf, taskMachine } from '@baton/protocol';
import { sql } from 'kysely';
import { rowsOf } from '../db/rows.ts';
import type { Tx } from '../db/transaction.ts';
import { forgetHolders } from '../lock/lock.service.ts';
import { lockVisit } from '../phase/phase-visit.store.ts';
import { holdTickets } from '../ticket/ticket.store.ts';
import { type Sessions, writeAttemptEnds } from './attempt-end.service.ts';
import { listOpenTasks, listWithDependents } from './cancel.store.ts';
import { holdPlaces } from './fence.store.ts';
import { lockAll } from './lock-all.ts';
import { propagateFailure } from './propagate.ts';
import { type LockedTask, lockOpenTasksOfVisit, toTaskEvent } from './task.store.ts';
import { noteUnfinished } from './unfinished-attempt.ts';

/** Cancels one task, and what its caller chooses to go with it. Again is no error; what has ended otherwise stays as it is, and is refused unless its children are to go. */
export async function cancelTask(tx: Tx, sessions: Sessions, params: Params<'task/cancel'>): Promise<Result<'task/cancel'>> {
  const { taskId, reason, dependents, children } = params;
  await holdPlaces(tx, [taskId]);
  const locked = await lockAll(tx, () => listWithDependents(tx, [taskId], { dependents: dependents === 'cancel', children }));
  const task = locked.get(taskId);
  if (task === undefined) throw new CoordinatorError('task_not_found', { taskId });
  // What has ended otherwise cannot be cancelled any more; what it has submitted can.
  if (task.state !== 'cancelled' && !isOpen(task) && !children)
    throw new CoordinatorError('task_state_refused', { taskId, state: task.state, step: 'cancel' });

  const cancelledCount = await cancelLocked(tx, sessions, [...locked.values()], { reason: reason ?? byHand, told: 'cancelled' });
  return { taskId, state: isOpen(task) ? 'cancelled' : task.state, cancelledCount };
}

const byHand = 'cancelled by hand';

/** Cancels the open tasks of a ticket. */
export async function cancelTasksOf(tx: Tx, sessions: Sessions, params: Params<'task/cancelAll'>): Promise<Result<'task/cancelAll'>> {
  const { ticketId, phase, states, reason, dependents } = params;
  const ticket = (await holdTickets(tx.em, tx.projectId, [ticketId])).get(ticketId);
  if (ticket === undefined) throw new CoordinatorError('ticket_not_found', { ticketId });
  if (phase !== undefined && phase !== ticket.phase)
    throw new CoordinatorError('phase_closed', { ticketId, phase: ticket.phase, message: `It is in ${ticket.phase}.` });
  await lockVisit(tx.em, ticket.visitId);
  const locked = await lockAll(tx, async () =>
    listWithDependents(tx, await listOpenTasks(tx, ticket.visitId, states), { dependents: dependents === 'cancel', children: false }),
  );
  const cancelledCount = await cancelLocked(tx, sessions, [...locked.values()], { reason: reason ?? byHand, told: 'cancelled' });
  return { ticketId, cancelledCount };
}

/** Cancels those of the locked tasks that are open, lets their dependents know and their locks go. Returns how many there were. */
async function cancelLocked(tx: Tx, sessions: Sessions, locked: readonly LockedTask[], cancellation: Cancellation): Promise<number> {
  const open = locked.filter(isOpen);
  await markCancelled(tx, sessions, open, cancellation);
  await propagateFailure(
    tx,
    open.map(({ id, title }) => ({ id, reason: `${title} was cancelled` })),
  );
  await releaseAttempts(tx, open);
  return open.length;
}

const openStates = sourcesOf(taskMachine, 'cancel');
const isOpen = ({ state }: LockedTask): boolean => openStates.includes(state);

/** Cancels all that is open in a phase visit which is left: nothing of a closed phase is claimable. The ticket is locked. */
export async function cancelOpenTasks(tx: Tx, sessions: Sessions, visitId: string, reason: string): Promise<void> {
  const open = await lockOpenTasksOfVisit(tx.em, visitId);
  await markCancelled(tx, sessions, open, { reason, told: 'phase_closed' });
  await releaseAttempts(tx, open);
}

interface Cancellation {
  readonly reason: string;
  /** What the agents of running attempts are told. */
  readonly told: RevocationReason;
}

/** Notes what running ones leave in their visits, which are held. Their locks are released by the caller, after all tasks that this concerns are locked. */
async function markCancelled(tx: Tx, sessions: Sessions, tasks: readonly LockedTask[], { reason, told }: Cancellation): Promise<void> {
  if (tasks.length === 0) return;
  const ids = tasks.map(({ id }) => id);
  await rowsOf(
    tx.em,
    sql`update tasks set state = 'cancelled', reason = ${reason}, finished_at = clock_timestamp(), deadline_at = null, waiting_key = null
        where id = any(${ids}::uuid[])`,
  );
  const running = tasks.filter(({ state }) => state === 'running');
  await noteUnfinished(
    tx,
    running.map((task) => ({ task })),
  );
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

/** Only a running attempt holds locks, or waits for some. */
async function releaseAttempts(tx: Tx, tasks: readonly LockedTask[]): Promise<void> {
  const attempts = tasks.flatMap(({ id, attempt, state }) => (state === 'running' ? [{ taskId: id, attempt }] : []));
  if (attempts.length > 0) await forgetHolders(tx, { attempts });
}
