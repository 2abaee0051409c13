import { sql } from 'kysely';
import type { EntityManager } from '../db/orm.ts';
import { rowsOf } from '../db/rows.ts';
import { findCommon, readSpan } from './lock-key.ts';

/**
 * How many of the tasks that wait for a key are put back into the scan when it is free, of those that want something alone and
 * of those that would share all they want. Those that are too late wait again.
 */
const wokenMax = { alone: 16, sharing: 500 };

/** Puts tasks that wait for these keys, or for a range that one of them belongs to, back into the scan, the first in rank. Returns how many. */
export async function wakeTasks(em: EntityManager, projectId: string, keys: readonly string[]): Promise<number> {
  const spans = keys.map(readSpan).filter(({ number, range }) => number !== undefined || range !== undefined);
  const ranges = spans.length === 0 ? [] : await listAwaitedRanges(em, projectId, [...new Set(spans.map(({ space }) => space))]);
  const met = ranges.filter((range) => spans.some((span) => findCommon(span, readSpan(range)) !== undefined));
  const woken = await rowsOf(
    em,
    sql`update tasks set waiting_key = null where id = any(array(
          select t.id from unnest(${[...new Set([...keys, ...met])]}::text[]) as k(key)
          cross join (values (true, ${wokenMax.alone}::int), (false, ${wokenMax.sharing}::int)) as kind(is_alone, most)
          cross join lateral (
            select id from tasks where project_id = ${projectId} and state = 'ready' and waiting_key = k.key
              and (locks @> '[{"mode": "exclusive"}]') = kind.is_alone
            order by rank, id limit kind.most for update skip locked) t)) returning id`,
  );
  return woken.length;
}

/** The ranges that tasks wait for. */
const listAwaitedRanges = async (em: EntityManager, projectId: string, spaces: readonly string[]): Promise<string[]> =>
  (
    await rowsOf(
      em,
      sql<{ key: string }>`select distinct waiting_key as key from tasks
          where project_id = ${projectId} and state = 'ready' and waiting_key ~ ':[0-9]+-[0-9]+$' and split_part(waiting_key, ':', 1) = any(${spaces}::text[])`,
    )
  ).map(({ key }) => key);
