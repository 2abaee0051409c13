import { sql } from 'kysely';
import type { EntityManager } from '../db/orm.ts';
import { rowsOf } from '../db/rows.ts';

/**
 * Locks visits in the order of their ids, so that those who add tasks to one take turns, and raises how many tasks may be open in
 * each at most. A bound rather than a count: tasks that end do not write to the one row that all tasks of a visit would share. The
 * workflow is told for the same reason: it looks when the last of the tasks has ended.
 * @returns what the bounds were before
 */
export async function raiseOpenTaskBounds(em: EntityManager, added: ReadonlyMap<string, number>): Promise<Map<string, number>> {
  const rows = await rowsOf(
    em,
    sql<{ id: string; before: number }>`with held as (
          select v.id, x.n as added, t.automatic from phase_visits v join jsonb_to_recordset(${toRows(added)}::jsonb) as x(id uuid, n int) on x.id = v.id
            join tickets t on t.id = v.ticket_id order by v.id for no key update of v
        )
        update phase_visits v set open_tasks_bound = v.open_tasks_bound + held.added,
          told_at = case when held.automatic then clock_timestamp() else v.told_at end
        from held where v.id = held.id
        returning v.id, v.open_tasks_bound - held.added as before`,
  );
  return new Map(rows.map(({ id, before }) => [id, before]));
}

const toRows = (bounds: ReadonlyMap<string, number>): string => JSON.stringify([...bounds].map(([id, n]) => ({ id, n })));

/**
 * Counts the tasks of visits that are open, each visit's only up to a number: as the bound is corrected with where there are
 * fewer. Needed once for as many tasks as have ended since the last time.
 */
export async function countOpenTasksOf(em: EntityManager, upTo: ReadonlyMap<string, number>): Promise<Map<string, number>> {
  const rows = await rowsOf(
    em,
    sql<{
      id: string;
      open: number;
    }>`select v.id, (select count(*)::int from (
            select 1 from tasks t where t.visit_id = v.id and t.state in ('blocked', 'ready', 'running') limit greatest(v.n, 0)) t) as open
        from jsonb_to_recordset(${toRows(upTo)}::jsonb) as v(id uuid, n int)`,
  );
  return new Map(rows.map(({ id, open }) => [id, open]));
}

/** Corrects the bounds of visits whose rows are held. */
export const writeOpenTaskBounds = (em: EntityManager, bounds: ReadonlyMap<string, number>): Promise<unknown[]> =>
  rowsOf(
    em,
    sql`update phase_visits v set open_tasks_bound = x.n
        from jsonb_to_recordset(${toRows(bounds)}::jsonb) as x(id uuid, n int) where v.id = x.id`,
  );
