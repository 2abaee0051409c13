import type { Lock, LockMode } from '@baton/protocol';
import { sql } from 'kysely';
import type { EntityManager } from '../db/orm.ts';
import { rowsOf } from '../db/rows.ts';
import { commonOf } from './lock-table.ts';
import { readTable } from './lock.store.ts';

interface LockRow {
  readonly key: string;
  readonly fence: string | number;
  readonly places: number;
  readonly holders: (Omit<Lock['holders'][number], 'taskId' | 'attempt' | 'expiresInMs' | 'places'> & {
    taskId: string | null;
    attempt: number | null;
    expiresInMs: number | null;
    places: number;
  })[];
  readonly waiters: { agentId: string | null; agentName: string | null; taskId: string | null; mode: LockMode; waitingMs: number }[];
}

export interface LockQuery {
  readonly projectId: string;
  /** Only these, whether anybody holds them or not. */
  readonly keys?: readonly string[];
  readonly taskId?: string | undefined;
  readonly agentId?: string | undefined;
  readonly limit: number;
}

/** Keys that are held or waited for, with who holds and who waits: calls in their queue, and tasks that declare the lock. */
export async function listLocks(em: EntityManager, { projectId, keys, taskId, agentId, limit }: LockQuery): Promise<Lock[]> {
  const conditions = [sql`k.project_id = ${projectId}`];
  if (taskId !== undefined) conditions.push(sql`exists (select 1 from living g where g.key = k.key and g.task_id = ${taskId})`);
  if (agentId !== undefined) conditions.push(sql`exists (select 1 from living g where g.key = k.key and g.agent_id = ${agentId})`);
  const among = (column: string) => (keys === undefined ? sql`` : sql`and ${sql.ref(column)} = any(${keys}::text[])`);
  const rows = await rowsOf(
    em,
    sql<LockRow>`
      with living as (
        select g.*, a.name as agent_name from lock_grants g join agents a on a.id = g.agent_id
        where g.project_id = ${projectId} ${among('g.key')} and (g.expires_at is null or g.expires_at > clock_timestamp())
      ), waiting as (
        select w.key, r.agent_id, a.name as agent_name, r.task_id, w.mode, r.requested_at as since
        from lock_waits w join lock_requests r on r.id = w.request_id join agents a on a.id = r.agent_id
        where w.project_id = ${projectId} ${among('w.key')} and r.granted is null and r.wait_until > clock_timestamp()
        union all
        select t.waiting_key, null, null, t.id, coalesce((select l->>'mode' from jsonb_array_elements(t.locks) l where l->>'key' = t.waiting_key), 'exclusive'), t.waiting_since
        from tasks t where t.project_id = ${projectId} ${among('t.waiting_key')} and t.state = 'ready' and t.waiting_key is not null
      ), used as (
        select key from living union select key from waiting union ${keys === undefined ? sql`select key from lock_keys where project_id = ${projectId} and places > 1` : sql`select unnest(${keys}::text[])`}
      )
      select k.key, k.fence, k.places,
        coalesce((select jsonb_agg(jsonb_build_object('agentId', g.agent_id, 'agentName', g.agent_name, 'sessionId', g.session_id, 'taskId', g.task_id,
            'attempt', g.attempt, 'mode', g.mode, 'fence', g.fence, 'places', g.places, 'heldMs', extract(epoch from clock_timestamp() - g.granted_at) * 1000,
            'expiresInMs', extract(epoch from g.expires_at - clock_timestamp()) * 1000) order by g.fence)
          from living g where g.key = k.key), '[]') as holders,
        coalesce((select jsonb_agg(jsonb_build_object('agentId', w.agent_id, 'agentName', w.agent_name, 'taskId', w.task_id, 'mode', w.mode,
            'waitingMs', extract(epoch from clock_timestamp() - w.since) * 1000) order by w.since)
          from waiting w where w.key = k.key), '[]') as waiters
      from lock_keys k join used u on u.key = k.key
      where ${sql.join(conditions, sql` and `)} order by k.key limit ${limit}`,
  );
  return rows.map(toLock);
}

/** One key, with those who hold or wait for a pattern or range that meets it. What nobody has asked for yet is free. */
export async function getLock(em: EntityManager, projectId: string, key: string): Promise<Lock> {
  const table = await readTable(em, projectId, [key]);
  const meets = (other: string) => other !== key && commonOf(table, key, other) !== undefined;
  const others = new Set([...table.grants, ...table.waits].map((row) => row.key).filter(meets));
  const locks = await listLocks(em, { projectId, keys: [key, ...others], limit: 1 + others.size });
  const own = locks.find((lock) => lock.key === key) ?? { key, fence: 0, holders: [], waiters: [] };
  const rest = locks.filter((lock) => lock.key !== key);
  return {
    ...own,
    holders: [...own.holders, ...rest.flatMap(({ key, holders }) => holders.map((holder) => ({ ...holder, key })))],
    waiters: [...own.waiters, ...rest.flatMap(({ key, waiters }) => waiters.map((waiter) => ({ ...waiter, key })))].sort(
      (a, b) => b.waitingMs - a.waitingMs,
    ),
  };
}

const toLock = ({ key, fence, places, holders, waiters }: LockRow): Lock => ({
  key,
  fence: Number(fence),
  ...(places > 1 && { places }),
  holders: holders.map(({ taskId, attempt, expiresInMs, places: held, ...holder }) => ({
    ...holder,
    ...(taskId !== null && { taskId }),
    ...(attempt !== null && { attempt }),
    ...(expiresInMs !== null && { expiresInMs }),
    ...(held > 1 && { places: held }),
  })),
  waiters: waiters.map(({ agentId, agentName, taskId, mode, waitingMs }) => ({
    mode,
    waitingMs,
    ...(agentId !== null && { agentId }),
    ...(agentName !== null && { agentName }),
    ...(taskId !== null && { taskId }),
  })),
});
