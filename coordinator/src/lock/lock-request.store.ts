import type { GrantedLock, LockRequest } from '@baton/protocol';
import { sql } from 'kysely';
import type { EntityManager } from '../db/orm.ts';
import { rowsOf } from '../db/rows.ts';
import { commonOf, createTable, type Holder } from './lock-table.ts';
import { mayMeet } from './key-reach.ts';
import { isWide } from './lock-key.ts';
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

/** How many waiting requests are read with one statement, and how many that meet are served at once at most. */
const waitingMax = 500;

/** Of a request `r` and its agent `a`. */
const requestColumns = sql`r.id, r.session_id, r.agent_id, a.name as agent_name, r.task_id, r.attempt, r.ttl_ms, r.requested_at::text as requested_at,
  (select jsonb_agg(jsonb_build_object('key', w.key, 'mode', w.mode, 'places', w.places) order by w.key collate "C") from lock_waits w where w.request_id = r.id) as keys`;

type RequestRow = WaitingRequest & { taskId: string | null; attempt: number | null; readonly requestedAt: string };

const toRequest = ({ requestedAt: _, ...row }: RequestRow): WaitingRequest => ({
  ...row,
  taskId: row.taskId ?? undefined,
  attempt: row.attempt ?? undefined,
});

/**
 * The requests that wait for any of these keys or for one that meets them, in order of arrival, each with all its keys: the
 * first `waitingMax` of them, or a few more. Those that wait elsewhere are passed by and do not count.
 */
export async function listWaitingRequests(
  em: EntityManager,
  projectId: string,
  keys: readonly string[],
): Promise<{ readonly requests: readonly WaitingRequest[]; readonly areAll: boolean }> {
  const table = createTable();
  const known = new Map<string, boolean>(keys.map((key) => [key, true]));
  const meets = ({ key }: LockRequest) => {
    const isMet = known.get(key) ?? keys.some((freed) => commonOf(table, freed, key) !== undefined);
    known.set(key, isMet);
    return isMet;
  };
  const requests: WaitingRequest[] = [];
  for (let last: RequestRow | undefined; ;) {
    const page: RequestRow[] = await listWaitingPage(em, projectId, { keys, last });
    requests.push(...page.map(toRequest).filter((request) => request.keys.some(meets)));
    last = page.at(-1);
    if (page.length < waitingMax || last === undefined) return { requests, areAll: true };
    if (requests.length >= waitingMax) return { requests, areAll: false };
  }
}

const listWaitingPage = (
  em: EntityManager,
  projectId: string,
  { keys, last }: { readonly keys: readonly string[]; readonly last: RequestRow | undefined },
): Promise<RequestRow[]> =>
  rowsOf(
    em,
    sql<RequestRow>`select ${requestColumns} from lock_requests r join agents a on a.id = r.agent_id
        where r.granted is null and r.wait_until > clock_timestamp()
          and r.id in (select w.request_id from lock_waits w where w.project_id = ${projectId} and ${mayMeet(keys, { alias: 'w', areHeld: false })})
          ${last === undefined ? sql`` : sql`and (r.requested_at, r.id) > (${last.requestedAt}::timestamptz, ${last.id}::uuid)`}
        order by r.requested_at, r.id limit ${waitingMax}`,
  );

/** All requests of a project that wait, in order of arrival. */
export async function listAllWaiting(em: EntityManager, projectId: string): Promise<WaitingRequest[]> {
  const rows = await rowsOf(
    em,
    sql<RequestRow>`select ${requestColumns} from lock_requests r join agents a on a.id = r.agent_id
        where r.project_id = ${projectId} and r.granted is null and r.wait_until > clock_timestamp() order by r.requested_at, r.id`,
  );
  return rows.map(toRequest);
}

/** How many requests of these sessions wait. */
export async function countWaiting(em: EntityManager, sessionIds: readonly string[]): Promise<Map<string, number>> {
  if (sessionIds.length === 0) return new Map();
  const rows = await rowsOf(
    em,
    sql<{ sessionId: string; count: number }>`select session_id, count(*)::int as count from lock_requests
        where session_id = any(${sessionIds}::uuid[]) and granted is null group by session_id`,
  );
  return new Map(rows.map(({ sessionId, count }) => [sessionId, count]));
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

/**
 * Takes the answers of those of these requests that were granted, as `takeRequest` does: of two who want an answer one gets
 * it. Returns whose were taken.
 */
export async function takeGranted(em: EntityManager, ids: readonly string[]): Promise<Set<string>> {
  if (ids.length === 0) return new Set();
  const rows = await rowsOf(
    em,
    sql<{ id: string }>`delete from lock_requests where id = any(${ids}::uuid[]) and granted is not null returning id`,
  );
  return new Set(rows.map(({ id }) => id));
}

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
