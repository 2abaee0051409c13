import type { TaskState } from '@baton/protocol';
import { sql } from 'kysely';
import { rowsOf } from '../db/rows.ts';
import type { Tx } from '../db/transaction.ts';
import { dependentsOf } from './task.store.ts';

/** The open tasks of a visit that are in one of these states. */
export async function listOpenTasks({ em }: Tx, visitId: string, states: readonly TaskState[]): Promise<string[]> {
  const rows = await rowsOf(
    em,
    sql<{
      id: string;
    }>`select id from tasks where visit_id = ${visitId} and state in ('blocked', 'ready', 'running') and state = any(${states}::text[])`,
  );
  return rows.map(({ id }) => id);
}

interface Following {
  /** The tasks that wait for them, and for those in turn. */
  readonly dependents: boolean;
  /** The tasks that they have submitted, and those that these have submitted, ended or not. */
  readonly children: boolean;
}

/** Tasks of the project, with what follows them. */
export async function listWithDependents(
  { em, projectId }: Tx,
  ids: readonly string[],
  { dependents, children }: Following,
): Promise<string[]> {
  if (!dependents && !children) return [...ids];
  const rows = await rowsOf(
    em,
    sql<{ id: string }>`with recursive following as (
          select t.id, t.state <> 'completed' as is_awaited from tasks t where t.id = any(${ids}::uuid[]) and t.project_id = ${projectId}
          union
          select next.id, next.is_awaited from following f cross join lateral (
            (select d.id, true as is_awaited from ${dependentsOf(sql`f.id`, 'blocked')} d where ${dependents}::boolean and f.is_awaited)
            union all
            (select c.id, c.state <> 'completed' from tasks c where ${children}::boolean and c.parent_task_id = f.id offset 0)
          ) next
        ) select id from following`,
  );
  return rows.map(({ id }) => id);
}
