import { CoordinatorError, next, taskMachine, type TaskState } from '@baton/protocol';
import { sql } from 'kysely';
import { rowsOf } from '../db/rows.ts';
import type { Tx } from '../db/transaction.ts';
import { holdPlaces } from './fence.store.ts';
import { raiseOpenTaskBounds } from './open-tasks.store.ts';
import { dependentsOf, lockTasks, type LockedTask, toTaskEvent } from './task.store.ts';

/** Gives an ended task a new life, and reopens the dependents that were skipped because of it alone. */
export async function retryTask(
  tx: Tx,
  { taskId, reason }: { readonly taskId: string; readonly reason?: string | undefined },
): Promise<{ taskId: string; state: TaskState }> {
  // Found without a lock, locked once in the order of ids, and looked at again: every transaction locks tasks in that order.
  await holdPlaces(tx, [taskId]);
  const found = await findReopened(tx, taskId);
  const locked = await lockTasks(tx, [taskId, ...found]);
  const task = locked.find(({ id }) => id === taskId);
  if (task === undefined) throw new CoordinatorError('task_not_found', { taskId });
  if (next(taskMachine, task.state, 'retry') === undefined)
    throw new CoordinatorError('task_state_refused', { taskId, state: task.state, step: 'retry' });
  await refuseClosedVisit(tx, task);
  await refuseWithoutDependencies(tx, task);

  const stillBehind = new Set([taskId, ...(await findReopened(tx, taskId))]);
  const reopened = locked.filter(({ id }) => stillBehind.has(id));
  const states = await reopen(
    tx,
    reopened.map(({ id }) => id),
  );
  await raiseOpenTaskBounds(tx.em, new Map([[task.visitId, reopened.length]]));
  for (const each of reopened) tx.record('task.reopened', { ...toTaskEvent(each), ...(reason !== undefined && { reason }) });
  tx.hints.tasks = true;
  return { taskId, state: states.get(taskId) ?? 'ready' };
}

async function refuseClosedVisit(tx: Tx, { id, visitId, ticketId, phase }: LockedTask): Promise<void> {
  const rows = await rowsOf(tx.em, sql`select 1 from tickets where id = ${ticketId} and visit_id = ${visitId} for key share`);
  if (rows.length === 0) throw new CoordinatorError('phase_closed', { taskId: id, phase });
}

/** Dependencies that did not succeed and that hold their dependent back. */
const unsuccessful = sql`p.state in ('failed', 'cancelled', 'skipped') and t.on_dependency_failure = 'skip'`;

async function refuseWithoutDependencies(tx: Tx, { id, state }: LockedTask): Promise<void> {
  const missing = await rowsOf(
    tx.em,
    sql<{
      id: string;
      title: string;
      state: string;
    }>`select p.id, p.title, p.state from task_dependencies d join tasks p on p.id = d.depends_on_id join tasks t on t.id = d.task_id
        where d.task_id = ${id} and ${unsuccessful} order by p.id`,
  );
  if (missing.length === 0) return;
  const names = missing.map((each) => `"${each.title}" (${each.state})`).join(', ');
  throw new CoordinatorError('task_state_refused', {
    taskId: id,
    state,
    step: 'retry',
    message: `It depends on ${names}: retry that first.`,
  });
}

/** The skipped tasks behind one that is retried, less those that another unsuccessful task holds back as well. */
async function findReopened(tx: Tx, taskId: string): Promise<string[]> {
  const links = await rowsOf(
    tx.em,
    sql<{ id: string; heldBy: string[] }>`with recursive behind as (
          select first.id from ${dependentsOf(sql`${taskId}::uuid`, 'skipped')} first
          union
          select next.id from behind b cross join lateral ${dependentsOf(sql`b.id`, 'skipped')} next
        )
        select b.id, array(select d.depends_on_id from task_dependencies d where d.task_id = b.id
                             and (select p.state from tasks p where p.id = d.depends_on_id) in ('failed', 'cancelled', 'skipped')) as held_by from behind b`,
  );
  const reopened = new Set([taskId, ...links.map(({ id }) => id)]);
  let before: number;
  do {
    before = reopened.size;
    for (const { id, heldBy } of links) if (heldBy.some((cause) => !reopened.has(cause))) reopened.delete(id);
  } while (reopened.size < before);
  reopened.delete(taskId);
  return [...reopened];
}

// What is waited for is counted anew: since these tasks ended, others may have been completed or reopened.
async function reopen(tx: Tx, ids: readonly string[]): Promise<Map<string, TaskState>> {
  await rowsOf(
    tx.em,
    sql`update task_dependencies d set settled = p.state = 'completed' or (t.on_dependency_failure = 'run' and p.state in ('failed', 'cancelled', 'skipped') and not p.id = any(${ids}::uuid[]))
        from tasks p, tasks t where p.id = d.depends_on_id and t.id = d.task_id and d.task_id = any(${ids}::uuid[])`,
  );
  const rows = await rowsOf(
    tx.em,
    sql<{ id: string; state: TaskState }>`update tasks t
        set pending_dependencies = open.n, state = case when open.n = 0 then 'ready' else 'blocked' end,
            attempts_used = 0, run_at = case when t.attempt = 0 then greatest(t.run_at, clock_timestamp()) else clock_timestamp() end, error = null, reason = null, finished_at = null, started_at = null, session_id = null, agent_id = null
        from (select x.id, (select count(*)::int from task_dependencies d where d.task_id = x.id and not d.settled) as n from unnest(${ids}::uuid[]) as x(id)) open
        where t.id = open.id returning t.id, t.state`,
  );
  return new Map(rows.map(({ id, state }) => [id, state]));
}
