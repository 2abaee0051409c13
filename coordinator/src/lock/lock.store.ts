import { sql } from 'kysely';
import type { EntityManager } from '../db/orm.ts';
import { rowsOf } from '../db/rows.ts';
import { mayMeet } from './key-reach.ts';
import { findCommon, isWide, readSpan, spaceOf, untold } from './lock-key.ts';
import { createTable, type Grant, type LockTable, spanOf, type Wait } from './lock-table.ts';

/** What holds for some keys and for all that meet them, without locking anything. Grants that have expired are not among it. */
export async function readTable(em: EntityManager, projectId: string, keys: readonly string[]): Promise<LockTable> {
  const rows = await rowsOf(
    em,
    sql<{ key: string; places: number }>`select key, places from lock_keys where project_id = ${projectId} and key = any(${keys}::text[])`,
  );
  const grants = await listGrants(em, projectId, keys);
  return completeTable(em, projectId, { keys, places: rows, grants });
}

/**
 * The same for keys that are locked. Grants that have expired are removed on the way and returned: they block nobody. The
 * statements see the clock as it is once the keys are locked.
 */
export async function readLockedTable(
  em: EntityManager,
  projectId: string,
  { keys, places }: { readonly keys: readonly string[]; readonly places: readonly { readonly key: string; readonly places: number }[] },
): Promise<{ readonly table: LockTable; readonly expired: readonly Grant[] }> {
  const meets = mayMeet(keys, { alias: 'g', areHeld: true });
  const rows = await rowsOf(
    em,
    // A row that another transaction is removing has expired for it as well.
    sql<GrantRow & { isExpired: boolean }>`with gone as (
          delete from lock_grants g using agents a
          where a.id = g.agent_id and g.id = any(array(
            select g.id from lock_grants g where g.project_id = ${projectId} and ${meets} and g.expires_at <= clock_timestamp()
            order by g.id for update skip locked))
          returning ${grantColumns}
        )
        select *, true as is_expired from gone
        union all
        select ${grantColumns}, false from lock_grants g join agents a on a.id = g.agent_id
        where g.project_id = ${projectId} and ${meets} and (g.expires_at is null or g.expires_at > clock_timestamp())`,
  );
  const grants = rows.filter(({ isExpired }) => !isExpired).map(toGrant);
  const expired = rows.filter(({ isExpired }) => isExpired).map(toGrant);
  return { table: await completeTable(em, projectId, { keys, places, grants }), expired };
}

async function completeTable(
  em: EntityManager,
  projectId: string,
  {
    keys,
    places,
    grants,
  }: {
    readonly keys: readonly string[];
    readonly places: readonly { readonly key: string; readonly places: number }[];
    readonly grants: Grant[];
  },
): Promise<LockTable> {
  const waits = await listWaits(em, projectId, keys);
  const table = createTable({
    places: new Map(places.filter((row) => row.places !== 1).map((row) => [row.key, row.places])),
    grants,
    waits,
  });
  // Who waits for a range has a right to its lowest free member: which are free takes more than the keys at hand to know.
  const others = [
    ...new Set(waits.filter((wait) => spanOf(table, wait.key).range !== undefined && !keys.includes(wait.key)).map(({ key }) => key)),
  ];
  if (others.length > 0) {
    const known = new Set(grants.map(({ id }) => id));
    grants.push(...(await listGrants(em, projectId, others)).filter(({ id }) => !known.has(id)));
  }
  return table;
}

/** Of a grant `g` and its agent `a`. */
export const grantColumns = sql`g.id, g.key, g.mode, g.places, g.requested, g.request_id, g.fence, g.session_id, g.agent_id, a.name as agent_name, g.task_id, g.attempt,
  (extract(epoch from clock_timestamp() - g.granted_at) * 1000)::float8 as held_ms,
  (extract(epoch from g.expires_at - clock_timestamp()) * 1000)::float8 as expires_in_ms`;

export type GrantRow = Omit<Grant, 'fence' | 'taskId' | 'attempt' | 'requested' | 'requestId'> & {
  fence: string | number;
  taskId: string | null;
  attempt: number | null;
  requested: string | null;
  requestId: string | null;
};

export const toGrant = ({
  id,
  key,
  mode,
  places,
  requested,
  requestId,
  fence,
  sessionId,
  agentId,
  agentName,
  taskId,
  attempt,
  heldMs,
  expiresInMs,
}: GrantRow): Grant => ({
  id,
  key,
  mode,
  places,
  requested: requested ?? undefined,
  requestId: requestId ?? undefined,
  fence: Number(fence),
  sessionId,
  agentId,
  agentName,
  taskId: taskId ?? undefined,
  attempt: attempt ?? undefined,
  heldMs,
  expiresInMs,
});

async function listGrants(em: EntityManager, projectId: string, keys: readonly string[]): Promise<Grant[]> {
  const rows = await rowsOf(
    em,
    sql<GrantRow>`select ${grantColumns} from lock_grants g join agents a on a.id = g.agent_id
        where g.project_id = ${projectId} and ${mayMeet(keys, { alias: 'g', areHeld: true })} and (g.expires_at is null or g.expires_at > clock_timestamp())`,
  );
  return rows.map(toGrant);
}

const listWaits = (em: EntityManager, projectId: string, keys: readonly string[]): Promise<Wait[]> =>
  rowsOf(
    em,
    sql<Wait>`select w.key, w.mode, w.places, w.request_id from lock_waits w join lock_requests r on r.id = w.request_id
        where w.project_id = ${projectId} and ${mayMeet(keys, { alias: 'w', areHeld: false })} and r.granted is null and r.wait_until > clock_timestamp()
        order by r.requested_at, r.id`,
  );

/** All as they are in the table now. */
export interface GrantWrites {
  readonly made: readonly Grant[];
  readonly extended: readonly Grant[];
  readonly replaced: readonly Grant[];
}

/** Writes grants, and returns the fences of those that were made, by their ids. */
export async function writeGrants(
  em: EntityManager,
  projectId: string,
  { made, extended, replaced }: GrantWrites,
): Promise<Map<string, number>> {
  // What one decision has made another may extend or replace.
  const fences = made.length === 0 ? new Map<string, number>() : await insertGrants(em, projectId, made);
  if (extended.length > 0) {
    await rowsOf(
      em,
      sql`update lock_grants g set request_id = null, expires_at = case
            when g.expires_at is null or x.ttl_ms is null then null
            else greatest(g.expires_at, clock_timestamp() + x.ttl_ms * interval '1 millisecond') end
          from jsonb_to_recordset(${JSON.stringify(extended.map(({ id, expiresInMs }) => ({ id, ttl_ms: expiresInMs })))}::jsonb) as x(id uuid, ttl_ms float8)
          where g.id = x.id`,
    );
  }
  await deleteGrants(
    em,
    replaced.map(({ id }) => id),
  );
  return fences;
}

/** Notes what attempts took on the way. What their tasks declare stands with the attempt itself. */
export async function keepTakenLocks(em: EntityManager, taken: readonly Grant[]): Promise<void> {
  const rows = taken.flatMap(({ taskId, attempt, key, mode, fence }) =>
    taskId === undefined ? [] : [{ taskId, attempt, key, mode, fence }],
  );
  if (rows.length === 0) return;
  await rowsOf(
    em,
    sql`insert into attempt_locks (task_id, attempt, key, mode, fence)
        select x."taskId", x.attempt, x.key, x.mode, x.fence
        from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as x("taskId" uuid, attempt int, key text, mode text, fence bigint)
        on conflict do nothing`,
  );
}

/**
 * Numbers grants and stores them. A fence is drawn from one sequence for all files, and counted for each other key. Whoever
 * holds what meets has the locks that keep others from drawing meanwhile.
 */
async function insertGrants(em: EntityManager, projectId: string, made: GrantWrites['made']): Promise<Map<string, number>> {
  const grants = made.map(({ id, key, mode, places, requested, requestId, sessionId, agentId, taskId, attempt, expiresInMs }, place) => ({
    place,
    id,
    key,
    is_wide: isWide(key),
    is_file: spaceOf(key) === 'file',
    mode,
    places,
    requested: requested ?? null,
    request_id: requestId ?? null,
    session_id: sessionId,
    agent_id: agentId,
    task_id: taskId ?? null,
    attempt: attempt ?? null,
    ttl_ms: expiresInMs,
  }));
  const rows = await rowsOf(
    em,
    sql<{ id: string; fence: string | number }>`with x as (
          select *, row_number() over (partition by key order by place) as nth from jsonb_to_recordset(${JSON.stringify(grants)}::jsonb)
            as x(place int, id uuid, key text, is_wide boolean, is_file boolean, mode text, places int, requested text, request_id uuid, session_id uuid, agent_id uuid, task_id uuid, attempt int, ttl_ms float8)
        ), drawn as materialized (
          select *, case when is_file then nextval('lock_fences') end as drawn from x
        ), counted as (
          insert into lock_keys as k (project_id, key, fence)
          select ${projectId}::uuid, key, coalesce(max(drawn), count(*)) from drawn group by key order by key collate "C"
          on conflict (project_id, key) do update set fence = case when k.key like 'file:%' then excluded.fence else k.fence + excluded.fence end
          returning key, fence
        )
        insert into lock_grants (id, project_id, key, is_wide, mode, places, requested, request_id, fence, session_id, agent_id, task_id, attempt, expires_at)
        select d.id, ${projectId}::uuid, d.key, d.is_wide, d.mode, d.places, d.requested, d.request_id,
          coalesce(d.drawn, c.fence - (max(d.nth) over (partition by d.key)) + d.nth),
          d.session_id, d.agent_id, d.task_id, d.attempt, clock_timestamp() + d.ttl_ms * interval '1 millisecond'
        from drawn d join counted c on c.key = d.key
        returning id, fence`,
  );
  return new Map(rows.map(({ id, fence }) => [id, Number(fence)]));
}

export const deleteGrants = async (em: EntityManager, ids: readonly string[]): Promise<void> => {
  if (ids.length > 0) await rowsOf(em, sql`delete from lock_grants where id = any(${ids}::uuid[])`);
};

/** Sets the time to live of grants anew. Their keys are locked. What lives as long as its attempt goes on doing so. */
export async function renewGrants(em: EntityManager, renewed: readonly Pick<Grant, 'id' | 'expiresInMs'>[]): Promise<void> {
  if (renewed.length === 0) return;
  await rowsOf(
    em,
    sql`update lock_grants g set request_id = null, expires_at = case when g.expires_at is null then null else clock_timestamp() + x.ttl_ms * interval '1 millisecond' end
        from jsonb_to_recordset(${JSON.stringify(renewed.map(({ id, expiresInMs }) => ({ id, ttl_ms: expiresInMs })))}::jsonb) as x(id uuid, ttl_ms float8)
        where g.id = x.id`,
  );
}

/** Whether the key is held under this fence, by its own name or by a pattern that it matches. */
export async function isFenceCurrent(
  em: EntityManager,
  projectId: string,
  { key, fence }: { readonly key: string; readonly fence: number },
): Promise<boolean> {
  const rows = await rowsOf(
    em,
    sql<{ key: string }>`select g.key from lock_grants g
        where g.project_id = ${projectId} and (g.key = ${key} or g.is_wide) and g.fence = ${fence}
          and (g.expires_at is null or g.expires_at > clock_timestamp())`,
  );
  // What could not be told is no: a resource is rather closed to a writer than open to two.
  const covers = (held: string) => held === key || (!isWide(key) && (findCommon(readSpan(held), readSpan(key)) ?? untold) !== untold);
  return rows.some((held) => covers(held.key));
}

export async function setPlaces(em: EntityManager, projectId: string, { key, places }: { key: string; places: number }): Promise<void> {
  await rowsOf(em, sql`update lock_keys set places = ${places} where project_id = ${projectId} and key = ${key}`);
}

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
