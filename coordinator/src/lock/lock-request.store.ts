import type { GrantedLock, LockRequest } from '@baton/protocol';
import { sql } from 'kysely';
import type { EntityManager } from '../db/orm.ts';
import { rowsOf } from '../db/rows.ts';
import type { Holder } from './lock-rules.ts';
import { type LockFilter, ofHolders } from './lock.store.ts';

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

/** The requests that wait for any of these keys, in order of arrival, each with all its keys. */
export async function listWaitingRequests(em: EntityManager, projectId: string, keys: readonly string[]): Promise<WaitingRequest[]> {
  const rows = await rowsOf(
    em,
    sql<WaitingRequest & { taskId: string | null; attempt: number | null }>`
        select r.id, r.session_id, r.agent_id, r.task_id, r.attempt, r.ttl_ms,
               (select jsonb_agg(jsonb_build_object('key', a.key, 'mode', a.mode) order by a.key collate "C") from lock_waits a where a.request_id = r.id) as keys
        from lock_requests r
        where r.granted is null and r.wait_until > clock_timestamp()
          and exists (select 1 from lock_waits w where w.request_id = r.id and w.project_id = ${projectId} and w.key = any(${keys}::text[]))
        order by r.requested_at, r.id limit 100`,
  );
  return rows.map((row) => ({ ...row, taskId: row.taskId ?? undefined, attempt: row.attempt ?? undefined }));
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

export async function insertRequest(
  em: EntityManager,
  projectId: string,
  request: WaitingRequest & { readonly waitMs: number },
): Promise<void> {
  const { id, sessionId, agentId, taskId, attempt, ttlMs, waitMs, keys } = request;
  await rowsOf(
    em,
    sql`insert into lock_requests (id, project_id, session_id, agent_id, task_id, attempt, ttl_ms, wait_until)
        values (${id}, ${projectId}, ${sessionId}, ${agentId}, ${taskId ?? null}, ${attempt ?? null}, ${ttlMs}, clock_timestamp() + ${waitMs} * interval '1 millisecond')`,
  );
  await rowsOf(
    em,
    sql`insert into lock_waits (project_id, key, request_id, mode)
        select ${projectId}::uuid, key, ${id}::uuid, mode from jsonb_to_recordset(${JSON.stringify(keys)}::jsonb) as x(key text, mode text)`,
  );
}

export const markRequestGranted = (em: EntityManager, id: string, granted: readonly GrantedLock[]): Promise<unknown[]> =>
  rowsOf(
    em,
    sql`with gone as (delete from lock_waits where request_id = ${id}) update lock_requests set granted = ${JSON.stringify(granted)}::jsonb where id = ${id}`,
  );

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
export const deleteRequests = (em: EntityManager, ids: readonly string[]): Promise<unknown[]> =>
  rowsOf(em, sql`delete from lock_requests where id = any(${ids}::uuid[])`);

export interface DueLocks {
  readonly projectId: string;
  readonly keys: readonly string[];
}

/** How long after its wait a request is kept whose caller should have taken it away, in ms. */
const abandonedMs = 5_000;

/**
 * Keys on which something is to be done: an expired grant, a request whose caller has gone, a request that nobody who holds a
 * lock stands in the way of, a task that waits for nobody.
 */
export const listDueKeys = (em: EntityManager, limit: number): Promise<DueLocks[]> =>
  rowsOf(
    em,
    sql<DueLocks>`select project_id, array_agg(distinct key) as keys from (
          (select project_id, key from lock_grants where expires_at <= clock_timestamp() limit ${limit})
          union
          (select w.project_id, w.key from lock_requests r join lock_waits w on w.request_id = r.id
           where r.granted is null and (
             r.wait_until <= clock_timestamp() - ${abandonedMs} * interval '1 millisecond'
             or r.wait_until > clock_timestamp() and not exists (
               select 1 from lock_waits o join lock_grants g on g.project_id = o.project_id and g.key = o.key
               where o.request_id = r.id and (g.mode = 'exclusive' or o.mode = 'exclusive')
                 and (g.expires_at is null or g.expires_at > clock_timestamp())
                 and (g.session_id, g.task_id, g.attempt) is distinct from (r.session_id, r.task_id, r.attempt)))
           order by r.requested_at limit ${limit})
          union
          (select t.project_id, t.waiting_key from tasks t
           where t.state = 'ready' and t.waiting_key is not null
             and not exists (select 1 from lock_grants g where g.project_id = t.project_id and g.key = t.waiting_key)
             and not exists (select 1 from lock_waits w where w.project_id = t.project_id and w.key = t.waiting_key) limit ${limit})
        ) due group by project_id`,
  );

/** Requests whose caller has gone without taking them away, waiting or granted: the wait is long over. */
export const findAbandonedRequests = (em: EntityManager, projectId: string): Promise<{ id: string; keys: string[] }[]> =>
  rowsOf(
    em,
    sql<{ id: string; keys: string[] }>`select id, array(select w.key from lock_waits w where w.request_id = lock_requests.id) as keys
        from lock_requests where project_id = ${projectId} and wait_until <= clock_timestamp() - ${abandonedMs} * interval '1 millisecond' limit 1000`,
  );
