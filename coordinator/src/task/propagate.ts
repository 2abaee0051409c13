import { sql } from 'kysely';
import { rowsOf } from '../db/rows.ts';
import type { Tx } from '../db/transaction.ts';
import { judgeDependents, type Link } from './propagate-rules.ts';
import { lockAll } from './lock-all.ts';
import { momentsTold } from './submit.store.ts';
import { dependentsOf, type LockedTask, lockTasks, toTaskEvent } from './task.store.ts';

/** Counts completed tasks off their dependents; those that wait for nothing more are ready. */
export async function propagateSuccess(tx: Tx, completedIds: readonly string[]): Promise<void> {
  const dependents = await rowsOf(
    tx.em,
    sql<{ id: string }>`select distinct d.task_id as id from task_dependencies d join tasks t on t.id = d.task_id
        where d.depends_on_id = any(${completedIds}::uuid[]) and t.state = 'blocked'`,
  );
  if (dependents.length === 0) return;
  // Locked in the order of ids before anything is counted: two parents that complete at once take turns here.
  await lockTasks(
    tx,
    dependents.map(({ id }) => id),
  );
  await countOff(tx, completedIds, sql`true`);
}

/** A task that will not succeed, and what its dependents are told. */
export interface Unsuccessful {
  readonly id: string;
  readonly reason: string;
}

/**
 * Decides about all that waits for tasks which will not succeed: skipped with the reason, and then their own dependents in
 * turn; or counted off as if it had succeeded, where the dependent says so. All are locked first, in the order of their ids.
 */
export async function propagateFailure(tx: Tx, ended: readonly Unsuccessful[]): Promise<void> {
  if (ended.length === 0) return;
  let links: readonly Link[] = [];
  const locked = await lockAll(tx, async () => {
    links = await listLinksBehind(tx, ended);
    return links.map(({ taskId }) => taskId);
  });
  if (locked.size === 0) return;
  const skipped = judgeDependents(ended, links);
  await skip(tx, locked, skipped);
  await countOff(tx, [...ended.map(({ id }) => id), ...skipped.map(({ id }) => id)], sql`t.on_dependency_failure = 'run'`);
}

/** The dependencies through which the end of tasks reaches others: all that wait for them, and for what is skipped because of them. */
const listLinksBehind = (tx: Tx, ended: readonly Pick<Unsuccessful, 'id'>[]): Promise<Link[]> =>
  rowsOf(
    tx.em,
    sql<Link>`with recursive behind as (
          select first.id as task_id, x.id as depends_on_id, first.title, first.on_dependency_failure = 'skip' as skips
          from unnest(${ended.map(({ id }) => id)}::uuid[]) as x(id) cross join lateral ${dependentsOf(sql`x.id`, 'blocked')} first
          union
          select next.id, b.task_id, next.title, next.on_dependency_failure = 'skip'
          from behind b cross join lateral ${dependentsOf(sql`b.task_id`, 'blocked')} next where b.skips
        ) select * from behind`,
  );

async function skip(tx: Tx, locked: ReadonlyMap<string, LockedTask>, skipped: readonly Unsuccessful[]): Promise<void> {
  if (skipped.length === 0) return;
  await rowsOf(
    tx.em,
    sql`update tasks t set state = 'skipped', finished_at = clock_timestamp(), reason = x.reason
        from jsonb_to_recordset(${JSON.stringify(skipped)}::jsonb) as x(id uuid, reason text) where t.id = x.id`,
  );
  for (const { id, reason } of skipped) {
    const task = locked.get(id);
    if (task === undefined) throw new Error(`The task ${id} was not locked.`);
    tx.record('task.skipped', { ...toTaskEvent(task), reason });
    tx.hints.ticketIds.add(task.ticketId);
  }
}

async function countOff(tx: Tx, ids: readonly string[], condition: ReturnType<typeof sql>): Promise<void> {
  const ready = await rowsOf(
    tx.em,
    sql<{ runInMs: number }>`with settled as (
          update task_dependencies d set settled = true from tasks t
          where t.id = d.task_id and d.depends_on_id = any(${ids}::uuid[]) and not d.settled and t.state = 'blocked' and ${condition}
          returning d.task_id
        ), counted as (
          update tasks t set pending_dependencies = t.pending_dependencies - done.n,
            state = case when t.pending_dependencies - done.n <= 0 then 'ready' else t.state end
          from (select task_id, count(*)::int as n from settled group by task_id) done
          where t.id = done.task_id
          returning t.state, t.run_at
        )
        select distinct greatest(0, ceil(extract(epoch from run_at - clock_timestamp()) * 1000))::float8 as run_in_ms from counted where state = 'ready'
        order by 1 limit ${momentsTold}`,
  );
  // Some may have to wait for their time all the same.
  for (const { runInMs } of ready)
    if (runInMs === 0) tx.hints.tasks = true;
    else tx.hints.tasksInMs.push(runInMs);
}
