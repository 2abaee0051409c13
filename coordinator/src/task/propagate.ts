import { sql } from 'kysely';
import { rowsOf } from '../db/rows.ts';
import type { Tx } from '../db/transaction.ts';
import { lockedColumns, type LockedTask, lockTasks, toTaskEvent } from './task.store.ts';

/** Tasks that wait for any of these and have not been decided about. */
const listBlockedDependents = (tx: Tx, ids: readonly string[]) =>
  rowsOf(
    tx.em,
    sql<{ id: string }>`select distinct d.task_id as id from task_dependencies d join tasks t on t.id = d.task_id
        where d.depends_on_id = any(${ids}::uuid[]) and t.state = 'blocked'`,
  );

/** Counts completed tasks off their dependents; those that wait for nothing more are ready. */
export async function propagateSuccess(tx: Tx, completedIds: readonly string[]): Promise<void> {
  await countOff(tx, completedIds, sql`true`);
}

/**
 * Decides about the dependents of tasks that will not succeed: skipped with the reason, and then their own dependents in
 * turn; or counted off as if it had succeeded, where the dependent says so.
 */
export async function propagateFailure(tx: Tx, ended: readonly { readonly id: string; readonly reason: string }[]): Promise<void> {
  let level = ended;
  while (level.length > 0) {
    const ids = level.map(({ id }) => id);
    await countOff(tx, ids, sql`t.on_dependency_failure = 'run'`);
    const skipped = await skipDependents(tx, ids, level);
    for (const task of skipped) {
      tx.record('task.skipped', { ...toTaskEvent(task), reason: task.reason });
      tx.hints.ticketIds.add(task.ticketId);
    }
    level = skipped.map(({ id, title }) => ({ id, reason: `${title} was skipped` }));
  }
}

async function countOff(tx: Tx, ids: readonly string[], condition: ReturnType<typeof sql>): Promise<void> {
  const dependents = await listBlockedDependents(tx, ids);
  if (dependents.length === 0) return;
  // Locked in the order of ids before anything is counted: two parents that complete at once take turns here.
  await lockTasks(
    tx,
    dependents.map(({ id }) => id),
  );
  const ready = await rowsOf(
    tx.em,
    sql<{ state: string }>`with settled as (
          update task_dependencies d set settled = true from tasks t
          where t.id = d.task_id and d.depends_on_id = any(${ids}::uuid[]) and not d.settled and t.state = 'blocked' and ${condition}
          returning d.task_id
        )
        update tasks t set pending_dependencies = t.pending_dependencies - done.n,
          state = case when t.pending_dependencies - done.n <= 0 then 'ready' else t.state end
        from (select task_id, count(*)::int as n from settled group by task_id) done
        where t.id = done.task_id
        returning t.state`,
  );
  if (ready.some(({ state }) => state === 'ready')) tx.hints.tasks = true;
}

async function skipDependents(
  tx: Tx,
  ids: readonly string[],
  causes: readonly { readonly id: string; readonly reason: string }[],
): Promise<(LockedTask & { reason: string })[]> {
  const dependents = await listBlockedDependents(tx, ids);
  if (dependents.length === 0) return [];
  await lockTasks(
    tx,
    dependents.map(({ id }) => id),
  );
  return rowsOf(
    tx.em,
    sql<LockedTask & { reason: string }>`update tasks t set state = 'skipped', finished_at = clock_timestamp(), reason = cause.reason
        from (select distinct on (d.task_id) d.task_id, x.reason
              from task_dependencies d join jsonb_to_recordset(${JSON.stringify(causes)}::jsonb) as x(id uuid, reason text) on x.id = d.depends_on_id
              order by d.task_id, x.id) cause
        where t.id = cause.task_id and t.state = 'blocked' and t.on_dependency_failure = 'skip'
        returning ${lockedColumns}, t.reason`,
  );
}
