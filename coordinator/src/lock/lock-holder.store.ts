import type { GrantedLock } from '@baton/protocol';
import { sql } from 'kysely';
import type { EntityManager } from '../db/orm.ts';
import { rowsOf } from '../db/rows.ts';
import type { Holder } from './lock-table.ts';

export interface LockFilter {
  readonly projectId: string;
  readonly sessionIds?: readonly string[];
  readonly attempts?: readonly { readonly taskId: string; readonly attempt: number }[];
}

/** Grants and requests have the same columns for whom they are. */
export function ofHolders({ projectId, sessionIds, attempts }: LockFilter) {
  const conditions = [sql`project_id = ${projectId}`];
  if (sessionIds !== undefined) conditions.push(sql`session_id = any(${sessionIds}::uuid[])`);
  if (attempts !== undefined) {
    conditions.push(
      sql`(task_id, attempt) in (select * from jsonb_to_recordset(${JSON.stringify(attempts)}::jsonb) as x("taskId" uuid, attempt int))`,
    );
  }
  return sql.join(conditions, sql` and `);
}

/** The grants of sessions or attempts, without locking anything: who releases them locks their keys first. */
export const findGrants = (em: EntityManager, filter: LockFilter): Promise<{ id: string; key: string }[]> =>
  rowsOf(em, sql<{ id: string; key: string }>`select id, key from lock_grants where ${ofHolders(filter)}`);

/** All that a session holds now. */
export async function listHeldLocks(
  em: EntityManager,
  sessionId: string,
): Promise<(GrantedLock & { taskId?: string; attempt?: number })[]> {
  const rows = await rowsOf(
    em,
    sql<Pick<GrantedLock, 'key' | 'mode'> & { fence: string | number; taskId: string | null; attempt: number | null }>`
        select key, mode, fence, task_id, attempt from lock_grants
        where session_id = ${sessionId} and (expires_at is null or expires_at > clock_timestamp()) order by key`,
  );
  return rows.map(({ key, mode, fence, taskId, attempt }) => ({
    key,
    mode,
    fence: Number(fence),
    ...(taskId !== null && { taskId }),
    ...(attempt !== null && { attempt }),
  }));
}

export interface HeldQuery {
  readonly sessionId: string;
  readonly taskId?: string | undefined;
  readonly attempt?: number | undefined;
  /** Without any, all that this holder has. */
  readonly keys?: readonly string[] | undefined;
}

/** What holders have of the keys they name, by the key or by the range it was allocated of. One list for each query. */
export async function findHeld(
  em: EntityManager,
  projectId: string,
  queries: readonly HeldQuery[],
): Promise<{ readonly id: string; readonly key: string }[][]> {
  const asked = queries.map(({ sessionId, taskId, attempt, keys }, place) => ({
    place,
    session_id: sessionId,
    task_id: taskId ?? null,
    attempt: attempt ?? null,
    keys: keys ?? null,
  }));
  const rows = await rowsOf(
    em,
    sql<{ place: number; id: string; key: string }>`select x.place, g.id, g.key
        from jsonb_to_recordset(${JSON.stringify(asked)}::jsonb) as x(place int, session_id uuid, task_id uuid, attempt int, keys text[])
        join lock_grants g on g.session_id = x.session_id and g.project_id = ${projectId} and g.task_id is not distinct from x.task_id
          and (x.attempt is null or g.attempt = x.attempt) and (x.keys is null or g.key = any(x.keys) or g.requested = any(x.keys))`,
  );
  return queries.map((_, place) => rows.filter((row) => row.place === place));
}

/** Whether the session of a holder has not ended, nor the attempt that it holds for. */
export async function isHolderLiving(em: EntityManager, { sessionId, taskId, attempt }: Holder): Promise<boolean> {
  const isRunning =
    taskId === undefined
      ? sql`true`
      : sql`exists (select 1 from tasks where id = ${taskId} and state = 'running' and session_id = ${sessionId} and attempt = ${attempt ?? null})`;
  const rows = await rowsOf(em, sql`select 1 from sessions where id = ${sessionId} and ended_at is null and ${isRunning}`);
  return rows.length > 0;
}
