import { sql } from 'kysely';
import type { EntityManager } from '../db/orm.ts';
import { rowsOf } from '../db/rows.ts';
import { isWide, spaceOf } from './lock-key.ts';

/** Tells the locks of spaces from other advisory locks of this database. */
const seed = 4767;

export interface KeyRow {
  readonly key: string;
  readonly places: number;
}

/**
 * Enters the spaces of keys and locks the rows of the keys, both in order and until the transaction ends.
 *
 * A space is entered alone where a pattern or range is among its keys, and together with others where there are only plain
 * ones, which take turns at their rows. So two transactions that decide about keys which meet are never at work at once.
 * One transaction names all its keys at once: who has entered together with others and then wants to be alone might stand in
 * a circle.
 */
export async function lockKeys(em: EntityManager, projectId: string, keys: readonly string[]): Promise<KeyRow[]> {
  const known = await enterSpaces(em, projectId, keys);
  if (known < keys.length) {
    // Before any row is locked, so that nobody holds one and waits here for another.
    await rowsOf(
      em,
      sql`insert into lock_keys (project_id, key)
          select ${projectId}::uuid, key from unnest(${keys}::text[]) as key order by key collate "C" on conflict do nothing`,
    );
  }
  // Sorted by bytes, as JavaScript sorts; a locale's order would be another one.
  return rowsOf(
    em,
    sql<KeyRow>`select key, places from lock_keys where project_id = ${projectId} and key = any(${keys}::text[]) order by key collate "C" for update`,
  );
}

/** Returns how many of the keys have a row. Rows are never deleted. */
async function enterSpaces(em: EntityManager, projectId: string, keys: readonly string[]): Promise<number> {
  const alone = new Set(keys.filter(isWide).map(spaceOf));
  const spaces = [...new Set(keys.map(spaceOf))].sort().map((space) => ({ gate: `${projectId}/${space}`, alone: alone.has(space) }));
  const [row] = await rowsOf(
    em,
    sql<{
      known: number;
    }>`select (select count(*)::int from lock_keys where project_id = ${projectId} and key = any(${keys}::text[])) as known,
          case when alone then pg_advisory_xact_lock(hashtextextended(gate, ${seed}))
               else pg_advisory_xact_lock_shared(hashtextextended(gate, ${seed})) end
        from (select x.gate, x.alone from jsonb_to_recordset(${JSON.stringify(spaces)}::jsonb) as x(gate text, alone boolean) order by x.gate collate "C") s`,
  );
  return row?.known ?? 0;
}
