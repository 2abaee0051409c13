import type { GrantedLock, LockRequest } from '@baton/protocol';
import { sql } from 'kysely';
import type { EntityManager } from '../db/orm.ts';
import { rowsOf } from '../db/rows.ts';
import type { Holder } from './lock-rules.ts';
import { mayMeet } from './key-reach.ts';
import { findCommon, isWide, readSpan } from './lock-key.ts';
import { type LockFilter, ofHolders } from './lock-holder.store.ts';

/** The requests of sessions or attempts that still wait, with the keys they wait for. */
export const findRequests = (em: EntityManager, filter: LockFilter): Promise<{ id: string; keys: string[] }[]> =>
  rowsOf(
    em,
    sql<{ id: string; keys: string[] }>`select id, array(select w.key from lock_waits w where w.request_id = lock_requests.id) as keys
        from lock_requests where ${ofHolders(filter)} and granted is null`,
  );

export interface WaitingRequest extends Holder {
  readonly id: string;
  readonly ttlMs: number;
  readonly keys: readonly LockRequest[];
}

/** How many waiting requests are read at once; those behind them are looked at again. */
export const waitingMax = 500;

/**
 * The requests that wait for any of these keys or for one that meets them, in order of arrival, each with all its keys: the
 * first of them, at most `waitingMax` with those of other keys of the same space among them.
 */
export async function listWaitingRequests(
  em: EntityManager,
  projectId: string,
  keys: readonly string[],
): Promise<{ readonly requests: readonly WaitingRequest[]; readonly areAll: boolean }> {
  const rows = await rowsOf(
    em,
    sql<WaitingRequest & { taskId: string | null; attempt: number | null }>`
        select r.id, r.session_id, r.agent_id, a.name as agent_name, r.task_id, r.attempt, r.ttl_ms,
               (select jsonb_agg(jsonb_build_object('key', a.key, 'mode', a.mode, 'places', a.places) order by a.key collate "C") from lock_waits a where a.request_id = r.id) as keys
        from lock_requests r join agents a on a.id = r.agent_id
        where r.granted is null and r.wait_until > clock_timestamp()
          and r.id in (select w.request_id from lock_waits w where w.project_id = ${projectId} and ${mayMeet(keys, { alias: 'w', areHeld: false })})
        order by r.requested_at, r.id limit ${waitingMax}`,
  );
  const spans = keys.map(readSpan);
  const known = new Set(keys);
  const meets = ({ key }: LockRequest) => known.has(key) || spans.some((span) => findCommon(span, readSpan(key)) !== undefined);
  const requests = rows.map((row) => ({ ...row, taskId: row.taskId ?? undefined, attempt: row.attempt ?? undefined }));
  return { requests: requests.filter((request) => request.keys.some(meets)), areAll: rows.length < waitingMax };
}

/**
 * Keeps the sessions of waiting requests from ending while locks are handed to them. One that is about to end is passed over:
 * its end withdraws what it waits for, and hands over in its turn.
 */
export async function holdWaitingSessions(em: EntityManager, sessionIds: readonly string[]): Promise<Set<string>> {
  const rows = await rowsOf(
    em,
    sql<{
      id: string;
    }>`select id from sessions where id = any(${sessionIds}::uuid[]) and ended_at is null order by id for key share skip locked`,
  );
  return new Set(rows.map(({ id }) => id));
}

export interface NewRequest extends WaitingRequest {
  readonly waitMs: number;
}

/** Puts requests at the ends of the queues of their keys, in the order given. Their keys are locked. */
export async function insertRequests(em: EntityManager, projectId: string, requests: readonly NewRequest[]): Promise<void> {
  if (requests.length === 0) return;
  const rows = requests.map(({ id, sessionId, agentId, taskId, attempt, ttlMs, waitMs }) => ({
    id,
    session_id: sessionId,
    agent_id: agentId,
    task_id: taskId ?? null,
    attempt: attempt ?? null,
    ttl_ms: ttlMs,
    wait_ms: waitMs,
  }));
  const waits = requests.flatMap(({ id, keys }) =>
    keys.map(({ key, mode, places = 1 }) => ({ request_id: id, key, is_wide: isWide(key), mode, places })),
  );
  await rowsOf(
    em,
    sql`insert into lock_requests (id, project_id, session_id, agent_id, task_id, attempt, ttl_ms, wait_until)
        select id, ${projectId}::uuid, session_id, agent_id, task_id, attempt, ttl_ms, clock_timestamp() + wait_ms * interval '1 millisecond'
        from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb)
          as x(id uuid, session_id uuid, agent_id uuid, task_id uuid, attempt int, ttl_ms int, wait_ms float8)`,
  );
  await rowsOf(
    em,
    sql`insert into lock_waits (project_id, key, request_id, is_wide, mode, places)
        select ${projectId}::uuid, key, request_id, is_wide, mode, places
        from jsonb_to_recordset(${JSON.stringify(waits)}::jsonb) as x(request_id uuid, key text, is_wide boolean, mode text, places int)`,
  );
}

/** Leaves the answers for the callers that wait. */
export async function markRequestsGranted(
  em: EntityManager,
  answers: readonly { readonly id: string; readonly granted: readonly GrantedLock[] }[],
): Promise<void> {
  if (answers.length === 0) return;
  await rowsOf(
    em,
    sql`with x as (select * from jsonb_to_recordset(${JSON.stringify(answers)}::jsonb) as x(id uuid, granted jsonb)),
          gone as (delete from lock_waits w using x where w.request_id = x.id)
        update lock_requests r set granted = x.granted from x where r.id = x.id`,
  );
}

/** What those of these requests have been granted that were granted in the meantime. */
export const listLateGrants = async (em: EntityManager, ids: readonly string[]): Promise<readonly GrantedLock[]> =>
  ids.length === 0
    ? []
    : (
        await rowsOf(
          em,
          sql<{ granted: GrantedLock[] }>`select granted from lock_requests where id = any(${ids}::uuid[]) and granted is not null`,
        )
      ).flatMap(({ granted }) => granted);

export type RequestState = { readonly granted: readonly GrantedLock[] } | 'waiting' | 'withdrawn';

/** Takes the answer of a request that has been granted, and tells otherwise whether it still waits. */
export async function takeRequest(em: EntityManager, id: string): Promise<RequestState> {
  const [row] = await rowsOf(
    em,
    sql<{ granted: GrantedLock[] }>`delete from lock_requests where id = ${id} and granted is not null returning granted`,
  );
  if (row !== undefined) return { granted: row.granted };
  const waiting = await rowsOf(em, sql`select 1 from lock_requests where id = ${id}`);
  return waiting.length > 0 ? 'waiting' : 'withdrawn';
}

/** Of these requests, those that nobody has decided about. */
export const listUndecidedRequests = async (em: EntityManager, ids: readonly string[]): Promise<Set<string>> =>
  new Set(
    (await rowsOf(em, sql<{ id: string }>`select id from lock_requests where id = any(${ids}::uuid[]) and granted is null`)).map(
      ({ id }) => id,
    ),
  );

/** Removes requests; their places in the queues go with them. */
export async function deleteRequests(em: EntityManager, ids: readonly string[]): Promise<void> {
  if (ids.length > 0) await rowsOf(em, sql`delete from lock_requests where id = any(${ids}::uuid[])`);
}

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

/**
 * Keys on which something is to be done: an expired grant, one that was freed and not handed on, a request whose caller has
 * gone, and a task that waits though a place of its key, or a member of its range, is free.
 */
export const listDueKeys = (em: EntityManager, limit: number): Promise<DueLocks[]> =>
  rowsOf(
    em,
    sql<DueLocks>`select project_id, array_agg(distinct key) as keys, coalesce(array_agg(due_id) filter (where due_id is not null), '{}') as due_ids from (
          (select project_id, key, null::float8 as due_id from lock_grants where expires_at <= clock_timestamp() limit ${limit})
          union all
          (select project_id, key, id::float8 from lock_due order by id limit ${limit})
          union all
          (select w.project_id, w.key, null from lock_requests r join lock_waits w on w.request_id = r.id
           where r.granted is null and r.wait_until <= clock_timestamp() - ${abandonedMs} * interval '1 millisecond' order by r.wait_until limit ${limit})
          union all
          (select r.project_id, g->>'key', null from lock_requests r cross join jsonb_array_elements(r.granted) g
           where r.granted is not null and r.wait_until <= clock_timestamp() - ${abandonedMs} * interval '1 millisecond' limit ${limit})
          union all
          (select t.project_id, t.waiting_key, null from tasks t
           where t.state = 'ready' and t.waiting_key is not null
             and not exists (select 1 from lock_waits w where w.project_id = t.project_id and w.key = t.waiting_key)
             and (select coalesce(sum(g.places), 0) from lock_grants g where g.project_id = t.project_id and g.key = t.waiting_key)
               < coalesce((select k.places from lock_keys k where k.project_id = t.project_id and k.key = t.waiting_key), 1)
             and case when t.waiting_key ~ '^(?!file:)[^:]+:(0|[1-9][0-9]{0,8})-(0|[1-9][0-9]{0,8})$' then ${hasFreeMember} else true end
           limit ${limit})
        ) due group by project_id`,
  );

/** Of the range that the task `t` waits for, fewer members are held than it has. */
const hasFreeMember = sql`
  (select count(distinct g.key) from lock_grants g
   where g.project_id = t.project_id and g.key ~>=~ (split_part(t.waiting_key, ':', 1) || ':') and g.key ~<~ (split_part(t.waiting_key, ':', 1) || ';')
     and case when split_part(g.key, ':', 2) ~ '^[0-9]{1,9}$' then split_part(g.key, ':', 2)::int
         between split_part(split_part(t.waiting_key, ':', 2), '-', 1)::int and split_part(t.waiting_key, '-', -1)::int else false end)
  <= split_part(t.waiting_key, '-', -1)::int - split_part(split_part(t.waiting_key, ':', 2), '-', 1)::int`;

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
