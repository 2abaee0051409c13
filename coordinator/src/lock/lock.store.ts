import type { GrantedLock, LockMode } from '@baton/protocol';
import { sql } from 'kysely';
import type { EntityManager } from '../db/orm.ts';
import { rowsOf } from '../db/rows.ts';
import type { Grant, Holder, LockTable, Wait } from './lock-rules.ts';

/**
 * Locks the rows of some keys, in key order, and reads what holds for them. Expired grants are removed on the way and
 * returned: they block nobody. The statements after the first see the clock as it is once the rows are held.
 */
export async function lockTable(em: EntityManager, projectId: string, keys: readonly string[]): Promise<LockTable & { expired: Grant[] }> {
  const sorted = [...new Set(keys)].sort();
  await rowsOf(
    em,
    sql`insert into lock_keys (project_id, key)
        select ${projectId}::uuid, key from unnest(${sorted}::text[]) as key order by key collate "C" on conflict do nothing`,
  );
  // Sorted by bytes, as JavaScript sorts; a locale's order would be another one.
  const fences = await rowsOf(
    em,
    sql<{ key: string; fence: string | number }>`select key, fence from lock_keys
        where project_id = ${projectId} and key = any(${sorted}::text[]) order by key collate "C" for update`,
  );
  const expired = await deleteExpiredGrants(em, projectId, sorted);
  const grants = await listGrants(em, projectId, sorted);
  const waits = await rowsOf(
    em,
    sql<Wait>`select w.key, w.mode, w.request_id from lock_waits w join lock_requests r on r.id = w.request_id
        where w.project_id = ${projectId} and w.key = any(${sorted}::text[]) and r.granted is null and r.wait_until > clock_timestamp()
        order by r.requested_at, r.id`,
  );
  return { fences: new Map(fences.map(({ key, fence }) => [key, Number(fence)])), grants, waits, expired };
}

const grantColumns = sql`g.id, g.key, g.mode, g.fence, g.session_id, g.agent_id, a.name as agent_name, g.task_id, g.attempt`;

type GrantRow = Omit<Grant, 'fence' | 'taskId' | 'attempt'> & { fence: string | number; taskId: string | null; attempt: number | null };

const toGrant = ({ fence, taskId, attempt, ...grant }: GrantRow): Grant => ({
  ...grant,
  fence: Number(fence),
  taskId: taskId ?? undefined,
  attempt: attempt ?? undefined,
});

async function deleteExpiredGrants(em: EntityManager, projectId: string, keys: readonly string[]): Promise<Grant[]> {
  const rows = await rowsOf(
    em,
    sql<GrantRow>`delete from lock_grants g using agents a
        where a.id = g.agent_id and g.project_id = ${projectId} and g.key = any(${keys}::text[]) and g.expires_at <= clock_timestamp()
        returning ${grantColumns}`,
  );
  return rows.map(toGrant);
}

async function listGrants(em: EntityManager, projectId: string, keys: readonly string[]): Promise<Grant[]> {
  const rows = await rowsOf(
    em,
    sql<GrantRow>`select ${grantColumns} from lock_grants g join agents a on a.id = g.agent_id
        where g.project_id = ${projectId} and g.key = any(${keys}::text[])`,
  );
  return rows.map(toGrant);
}

export interface GrantWrites {
  readonly made: readonly (Grant & { readonly ttlMs: number | null })[];
  readonly extended: readonly { readonly id: string; readonly ttlMs: number | null }[];
  readonly replaced: readonly Grant[];
}

export async function writeGrants(em: EntityManager, projectId: string, { made, extended, replaced }: GrantWrites): Promise<void> {
  if (replaced.length > 0)
    await deleteGrants(
      em,
      replaced.map(({ id }) => id),
    );
  if (extended.length > 0) {
    await rowsOf(
      em,
      sql`update lock_grants g set expires_at = case
            when g.expires_at is null or x.ttl_ms is null then null
            else greatest(g.expires_at, clock_timestamp() + x.ttl_ms * interval '1 millisecond') end
          from jsonb_to_recordset(${JSON.stringify(extended.map(({ id, ttlMs }) => ({ id, ttl_ms: ttlMs })))}::jsonb) as x(id uuid, ttl_ms float8)
          where g.id = x.id`,
    );
  }
  if (made.length === 0) return;
  const rows = made.map(({ id, key, mode, fence, sessionId, agentId, taskId, attempt, ttlMs }) => ({
    id,
    key,
    mode,
    fence,
    session_id: sessionId,
    agent_id: agentId,
    task_id: taskId ?? null,
    attempt: attempt ?? null,
    ttl_ms: ttlMs,
  }));
  await rowsOf(
    em,
    sql`with x as (
          select * from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb)
            as x(id uuid, key text, mode text, fence bigint, session_id uuid, agent_id uuid, task_id uuid, attempt int, ttl_ms float8)
        ), fenced as (
          update lock_keys k set fence = f.fence from (select key, max(fence) as fence from x group by key) f
          where k.project_id = ${projectId} and k.key = f.key
        )
        insert into lock_grants (id, project_id, key, mode, fence, session_id, agent_id, task_id, attempt, expires_at)
        select id, ${projectId}::uuid, key, mode, fence, session_id, agent_id, task_id, attempt, clock_timestamp() + ttl_ms * interval '1 millisecond' from x`,
  );
}

export const deleteGrants = (em: EntityManager, ids: readonly string[]): Promise<unknown[]> =>
  rowsOf(em, sql`delete from lock_grants where id = any(${ids}::uuid[])`);

export interface LockFilter {
  readonly projectId: string;
  readonly sessionIds?: readonly string[];
  readonly attempts?: readonly { readonly taskId: string; readonly attempt: number }[];
  readonly holder?: Holder;
  readonly keys?: readonly string[] | undefined;
}

/** Grants and requests have the same columns for whom they are. */
export function ofHolders({ projectId, sessionIds, attempts, holder }: LockFilter) {
  const conditions = [sql`project_id = ${projectId}`];
  if (sessionIds !== undefined) conditions.push(sql`session_id = any(${sessionIds}::uuid[])`);
  if (attempts !== undefined) {
    conditions.push(
      sql`(task_id, attempt) in (select * from jsonb_to_recordset(${JSON.stringify(attempts)}::jsonb) as x("taskId" uuid, attempt int))`,
    );
  }
  if (holder !== undefined) {
    conditions.push(sql`session_id = ${holder.sessionId}`);
    // Releasing for a task releases what its attempt holds; releasing without one gives back all that the session holds by itself.
    conditions.push(holder.taskId === undefined ? sql`task_id is null` : sql`task_id = ${holder.taskId}`);
    if (holder.attempt !== undefined) conditions.push(sql`attempt = ${holder.attempt}`);
  }
  return sql.join(conditions, sql` and `);
}

/** The grants of sessions, of attempts, or of one holder, without locking anything: who releases them locks their keys first. */
export function findGrants(em: EntityManager, filter: LockFilter): Promise<{ id: string; key: string }[]> {
  const onKeys = filter.keys === undefined ? sql`` : sql`and key = any(${filter.keys}::text[])`;
  return rowsOf(em, sql<{ id: string; key: string }>`select id, key from lock_grants where ${ofHolders(filter)} ${onKeys}`);
}

export async function isFenceCurrent(
  em: EntityManager,
  projectId: string,
  { key, fence }: { key: string; fence: number },
): Promise<boolean> {
  const rows = await rowsOf(
    em,
    sql`select 1 from lock_grants where project_id = ${projectId} and key = ${key} and fence = ${fence}
        and (expires_at is null or expires_at > clock_timestamp())`,
  );
  return rows.length > 0;
}

/** Extends what a holder still holds, and returns it. */
export const renewGrants = async (
  em: EntityManager,
  { projectId, holder, keys, ttlMs }: { projectId: string; holder: Holder; keys: readonly string[]; ttlMs: number },
): Promise<GrantedLock[]> =>
  (
    await rowsOf(
      em,
      sql<{ key: string; mode: LockMode; fence: string | number }>`update lock_grants
        set expires_at = case when expires_at is null then null else clock_timestamp() + ${ttlMs} * interval '1 millisecond' end
        where project_id = ${projectId} and key = any(${keys}::text[]) and session_id = ${holder.sessionId}
          and task_id is not distinct from ${holder.taskId ?? null}::uuid and ${holder.attempt === undefined ? sql`true` : sql`attempt = ${holder.attempt}`}
          and (expires_at is null or expires_at > clock_timestamp())
        returning key, mode, fence`,
    )
  ).map((row) => ({ ...row, fence: Number(row.fence) }));

export async function findExpiredGrants(
  em: EntityManager,
  projectId: string,
  keys: readonly string[],
): Promise<{ sessionId: string; key: string; fence: number }[]> {
  const rows = await rowsOf(
    em,
    sql<{ sessionId: string; key: string; fence: string | number }>`select session_id, key, fence from lock_grants
        where project_id = ${projectId} and key = any(${keys}::text[]) and expires_at <= clock_timestamp()`,
  );
  return rows.map((row) => ({ ...row, fence: Number(row.fence) }));
}

/** How many of the tasks that wait for a key are put back into the scan when it is free; those that are too late wait again. */
const wokenMax = 16;

/** Puts tasks that wait for these keys back into the scan, the first in rank. Returns how many. */
export async function wakeTasks(em: EntityManager, projectId: string, keys: readonly string[]): Promise<number> {
  const woken = await rowsOf(
    em,
    sql`update tasks set waiting_key = null where id = any(array(
          select t.id from unnest(${keys}::text[]) as k(key) cross join lateral (
            select id from tasks where project_id = ${projectId} and state = 'ready' and waiting_key = k.key
            order by rank, id limit ${wokenMax} for update skip locked) t)) returning id`,
  );
  return woken.length;
}
