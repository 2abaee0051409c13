import type { TaskState } from '@baton/protocol';
import { sql } from 'kysely';
import type { EntityManager } from '../db/orm.ts';
import { rowsOf } from '../db/rows.ts';
import type { SkippedTask } from './retry-rules.ts';
import { dependentsOf } from './task.store.ts';

/** All that was skipped behind a task, with what holds it back. */
export const listSkippedBehind = (em: EntityManager, taskId: string): Promise<SkippedTask[]> =>
  rowsOf(
    em,
    sql<{ id: string; heldBy: string[] }>`with recursive behind as (
          select first.id from ${dependentsOf(sql`${taskId}::uuid`, 'skipped')} first
          union
          select next.id from behind b cross join lateral ${dependentsOf(sql`b.id`, 'skipped')} next
        )
        select b.id, array(select d.depends_on_id from task_dependencies d where d.task_id = b.id
                             and (select p.state from tasks p where p.id = d.depends_on_id) in ('failed', 'cancelled', 'skipped')) as held_by from behind b`,
  );

/** What tasks depend on, and what waits for them: the neighbours whose states a retry goes by or changes. */
export async function listNeighbours(em: EntityManager, ids: readonly string[]): Promise<string[]> {
  const rows = await rowsOf(
    em,
    sql<{ id: string }>`select d.depends_on_id as id from task_dependencies d where d.task_id = any(${ids}::uuid[])
        union
        select next.id from unnest(${ids}::uuid[]) as x(id) cross join lateral ${dependentsOf(sql`x.id`, 'blocked')} next`,
  );
  return rows.map(({ id }) => id);
}

/** Dependencies that did not succeed and that hold their dependent back. */
export const listUnsuccessful = (
  em: EntityManager,
  taskId: string,
): Promise<{ readonly id: string; readonly title: string; readonly state: TaskState }[]> =>
  rowsOf(
    em,
    sql<{
      id: string;
      title: string;
      state: TaskState;
    }>`select p.id, p.title, p.state from task_dependencies d join tasks p on p.id = d.depends_on_id join tasks t on t.id = d.task_id
        where d.task_id = ${taskId} and p.state in ('failed', 'cancelled', 'skipped') and t.on_dependency_failure = 'skip' order by p.id`,
  );

/**
 * Gives tasks a new life, and tells what state each is in. What they wait for is counted anew: since they ended, others may have
 * been completed or reopened. Their rows are held, and those of all that they depend on.
 */
export async function reopenTasks(em: EntityManager, ids: readonly string[]): Promise<Map<string, TaskState>> {
  await rowsOf(
    em,
    sql`update task_dependencies d
        set settled = p.state = 'completed'
          or (t.on_dependency_failure = 'run' and p.state in ('failed', 'cancelled', 'skipped') and not p.id = any(${ids}::uuid[]))
        from tasks p, tasks t where p.id = d.depends_on_id and t.id = d.task_id and d.task_id = any(${ids}::uuid[])`,
  );
  const rows = await rowsOf(
    em,
    sql<{ id: string; state: TaskState }>`update tasks t
        set pending_dependencies = open.n, state = case when open.n = 0 then 'ready' else 'blocked' end,
          attempts_used = 0, error = null, reason = null,
          run_at = case when t.attempt = 0 then greatest(t.run_at, clock_timestamp()) else clock_timestamp() end,
          delayed = t.attempt = 0 and t.run_at > clock_timestamp(),
          started_at = null, finished_at = null, session_id = null, agent_id = null,
          reserved_for = null, reserved_until = null, waiting_key = null, waiting_since = null
        from (select x.id, (select count(*)::int from task_dependencies d where d.task_id = x.id and not d.settled) as n
                from unnest(${ids}::uuid[]) as x(id)) open
        where t.id = open.id returning t.id, t.state`,
  );
  return new Map(rows.map(({ id, state }) => [id, state]));
}

/** Has what is still blocked wait again for dependencies that were counted off as unsuccessful and are reopened. The rows are held. */
export const waitAgain = (em: EntityManager, reopenedIds: readonly string[]): Promise<unknown[]> =>
  rowsOf(
    em,
    sql`with opened as (
          update task_dependencies d set settled = false from tasks t
          where t.id = d.task_id and d.depends_on_id = any(${reopenedIds}::uuid[]) and d.settled and t.state = 'blocked'
          returning d.task_id
        )
        update tasks t set pending_dependencies = t.pending_dependencies + o.n
        from (select task_id, count(*)::int as n from opened group by task_id) o where t.id = o.task_id`,
  );
