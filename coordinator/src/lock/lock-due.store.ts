import { sql } from 'kysely';
import type { EntityManager } from '../db/orm.ts';
import { rowsOf } from '../db/rows.ts';

/** Leaves keys for the lock sweeper, which hands them on. */
export async function addDueKeys(em: EntityManager, projectId: string, keys: readonly string[]): Promise<void> {
  if (keys.length > 0) await rowsOf(em, sql`insert into lock_due (project_id, key) select ${projectId}::uuid, unnest(${keys}::text[])`);
}

export const deleteDueKeys = (em: EntityManager, ids: readonly number[]): Promise<unknown[]> =>
  rowsOf(em, sql`delete from lock_due where id = any(${ids}::bigint[])`);

export interface DueLocks {
  readonly projectId: string;
  readonly keys: readonly string[];
  /** The rows that name keys which were freed and not handed on. */
  readonly dueIds: readonly number[];
}

/** How long after its wait a request is kept whose caller should have taken it away, in ms. */
const abandonedMs = 5_000;

/** How many of the tasks that wait for one key are asked whether they would share it. */
const askedMax = 500;

/** Each key that tasks wait for, once: from one to the next in the index, however many wait for it. */
const awaitedKeys = sql`awaited(project_id, waiting_key) as (
    (select project_id, waiting_key from tasks where state = 'ready' and waiting_key is not null order by project_id, waiting_key limit 1)
    union all
    select n.project_id, n.waiting_key from awaited a cross join lateral (
      select project_id, waiting_key from tasks
      where state = 'ready' and waiting_key is not null and (project_id, waiting_key) > (a.project_id, a.waiting_key)
      order by project_id, waiting_key limit 1) n)`;

/** Of the key that tasks `t` wait for, fewer places are held than it has. */
const hasFreePlace = sql`
  (select coalesce(sum(g.places), 0) from lock_grants g where g.project_id = t.project_id and g.key = t.waiting_key)
    < coalesce((select k.places from lock_keys k where k.project_id = t.project_id and k.key = t.waiting_key), 1)`;

/** One of the tasks that wait for the key of `t` would share it with all who hold it. */
const isShared = sql`
  (not exists (select 1 from lock_grants g where g.project_id = t.project_id and g.key = t.waiting_key and g.mode = 'exclusive')
   and exists (
     select 1 from (
       select locks from tasks where project_id = t.project_id and waiting_key = t.waiting_key and state = 'ready' order by rank, id limit ${askedMax}) w
     where w.locks @> jsonb_build_array(jsonb_build_object('key', t.waiting_key, 'mode', 'shared'))))`;

/** Of the range that tasks `t` wait for, fewer members are held than it has. A member is called by nothing but its number. */
const hasFreeMember = sql`
  (select count(distinct g.key) from lock_grants g
   where g.project_id = t.project_id and g.key ~>=~ (split_part(t.waiting_key, ':', 1) || ':') and g.key ~<~ (split_part(t.waiting_key, ':', 1) || ';')
     and case when g.key ~ '^[^:]+:(0|[1-9][0-9]{0,8})$' then split_part(g.key, ':', 2)::int
         between split_part(split_part(t.waiting_key, ':', 2), '-', 1)::int and split_part(t.waiting_key, '-', -1)::int else false end)
  <= split_part(t.waiting_key, '-', -1)::int - split_part(split_part(t.waiting_key, ':', 2), '-', 1)::int`;

/**
 * Keys on which something is to be done: an expired grant, one that was freed and not handed on, a request whose caller has
 * gone, and a task that waits though a place of its key, or a member of its range, is free. Of each kind up to `limit`, with the
 * projects in turn: one whose keys stay due takes no place from the others.
 */
export const listDueKeys = (em: EntityManager, limit: number): Promise<DueLocks[]> =>
  rowsOf(
    em,
    sql<DueLocks>`with recursive ${awaitedKeys}
        select project_id, array_agg(distinct key) as keys, coalesce(array_agg(due_id) filter (where due_id is not null), '{}') as due_ids from (
          (select project_id, key, null::float8 as due_id from lock_grants where expires_at <= clock_timestamp()
           order by row_number() over (partition by project_id order by expires_at) limit ${limit})
          union all
          (select project_id, key, id::float8 from lock_due order by row_number() over (partition by project_id order by id) limit ${limit})
          union all
          (select w.project_id, w.key, null from lock_requests r join lock_waits w on w.request_id = r.id
           where r.granted is null and r.wait_until <= clock_timestamp() - ${abandonedMs} * interval '1 millisecond'
           order by row_number() over (partition by r.project_id order by r.wait_until) limit ${limit})
          union all
          (select r.project_id, g->>'key', null from lock_requests r cross join jsonb_array_elements(r.granted) g
           where r.granted is not null and r.wait_until <= clock_timestamp() - ${abandonedMs} * interval '1 millisecond'
           order by row_number() over (partition by r.project_id order by r.wait_until) limit ${limit})
          union all
          (select t.project_id, t.waiting_key, null from awaited t
           where not exists (select 1 from lock_waits w where w.project_id = t.project_id and w.key = t.waiting_key)
             and (${hasFreePlace} or ${isShared})
             and case when t.waiting_key ~ '^(?!file:)[^:]+:(0|[1-9][0-9]{0,8})-(0|[1-9][0-9]{0,8})$' then ${hasFreeMember} else true end
           order by row_number() over (partition by t.project_id) limit ${limit})
        ) due group by project_id`,
  );

/** Requests whose caller has gone without taking them away, with what they wait for or were granted: the wait is long over. */
export const findAbandonedRequests = (em: EntityManager, projectId: string): Promise<{ id: string; keys: string[] }[]> =>
  rowsOf(
    em,
    sql<{
      id: string;
      keys: string[];
    }>`select id, array(select w.key from lock_waits w where w.request_id = lock_requests.id union select g->>'key' from jsonb_array_elements(granted) g) as keys
        from lock_requests where project_id = ${projectId} and wait_until <= clock_timestamp() - ${abandonedMs} * interval '1 millisecond' limit 1000`,
  );
