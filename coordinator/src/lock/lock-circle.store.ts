import { sql } from 'kysely';
import type { EntityManager } from '../db/orm.ts';
import { rowsOf } from '../db/rows.ts';
import type { Queues } from './lock-circle-rules.ts';
import { listAllWaiting } from './lock-request.store.ts';
import { grantColumns, type GrantRow, toGrant } from './lock.store.ts';

/** A grant `g` and a request `r` are of one holder. */
const isOfOneHolder = sql`g.session_id = r.session_id and g.task_id is not distinct from r.task_id and g.attempt is not distinct from r.attempt`;

/** Of these requests those that wait and whose holder holds something. */
export async function listHoldingRequests(em: EntityManager, ids: readonly string[]): Promise<string[]> {
  if (ids.length === 0) return [];
  const rows = await rowsOf(
    em,
    sql<{ id: string }>`select r.id from lock_requests r
        where r.id = any(${ids}::uuid[]) and r.granted is null and exists (select 1 from lock_grants g where ${isOfOneHolder})`,
  );
  return rows.map(({ id }) => id);
}

/** The projects in which somebody waits who holds something. */
export const listHoldingProjects = async (em: EntityManager): Promise<string[]> =>
  (
    await rowsOf(
      em,
      sql<{ projectId: string }>`select distinct r.project_id from lock_requests r
          where r.granted is null and r.wait_until > clock_timestamp() and exists (select 1 from lock_grants g where ${isOfOneHolder})`,
    )
  ).map(({ projectId }) => projectId);

/** Lets those who hold something and wait for more take turns in a project, until the transaction ends. */
export async function enterCircleGate(em: EntityManager, projectId: string): Promise<void> {
  await rowsOf(em, sql`select pg_advisory_xact_lock(hashtextextended(${`circles ${projectId}`}, 4767))`);
}

/** Who waits in a project, and what those hold, without locking anything. */
export async function readQueues(em: EntityManager, projectId: string): Promise<Queues> {
  const requests = await listAllWaiting(em, projectId);
  const grants = await rowsOf(
    em,
    sql<GrantRow>`select ${grantColumns} from lock_grants g join agents a on a.id = g.agent_id
        where g.project_id = ${projectId} and (g.expires_at is null or g.expires_at > clock_timestamp())
          and exists (select 1 from lock_requests r where r.project_id = ${projectId} and r.granted is null and ${isOfOneHolder})`,
  );
  const places = await rowsOf(
    em,
    sql<{ key: string; places: number }>`select key, places from lock_keys where project_id = ${projectId} and places > 1`,
  );
  return { requests, grants: grants.map(toGrant), places: new Map(places.map((row) => [row.key, row.places])) };
}
