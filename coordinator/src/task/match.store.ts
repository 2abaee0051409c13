import type { GrantedLock, JsonObject, LockRequest } from '@baton/protocol';
import { sql } from 'kysely';
import type { EntityManager } from '../db/orm.ts';
import { rowsOf } from '../db/rows.ts';
import type { LockedTask } from './task.store.ts';

export interface SeekerRow {
  readonly sessionId: string;
  readonly agentId: string;
  readonly agentName: string;
  readonly capabilities: string[];
  readonly capacity: number;
  readonly running: number;
  /** Takes new work; one that drains does not. */
  readonly active: boolean;
}

/**
 * The sessions that may take work, with what they run. Their rows are held against other claims and against their end; beats
 * wait a moment.
 */
export async function lockSeekers(em: EntityManager, sessionIds: readonly string[]): Promise<SeekerRow[]> {
  await rowsOf(em, sql`select 1 from sessions where id = any(${sessionIds}::uuid[]) and ended_at is null order by id for no key update`);
  return rowsOf(
    em,
    sql<SeekerRow>`select s.id as session_id, a.id as agent_id, a.name as agent_name, a.capabilities, a.capacity,
          (select count(*)::int from tasks t where t.session_id = s.id and t.state = 'running') as running,
          a.state = 'active' as active
        from sessions s join agents a on a.id = s.agent_id
        where s.id = any(${sessionIds}::uuid[]) and s.ended_at is null`,
  );
}

export interface CapabilitySet {
  readonly id: number;
  readonly capabilities: string[];
}

/** The sets that somebody with these capabilities can serve. */
export const listCoveredSets = (em: EntityManager, projectId: string, capabilities: readonly string[]): Promise<CapabilitySet[]> =>
  rowsOf(
    em,
    sql<CapabilitySet>`select id, capabilities from capability_sets where project_id = ${projectId} and capabilities <@ ${capabilities}::text[]`,
  );

export interface Candidate extends LockedTask {
  readonly capabilitySetId: number;
  readonly input: JsonObject;
  readonly locks: LockRequest[];
  readonly timeoutMs: number;
  readonly waitingSince: string | null;
}

/**
 * The first tasks in rank of each set that may run now, passing over those another transaction is about to take. Tasks of
 * other sets are never looked at.
 */
export const lockCandidates = (
  em: EntityManager,
  { projectId, setIds, limit }: { projectId: string; setIds: readonly number[]; limit: number },
): Promise<Candidate[]> =>
  rowsOf(
    em,
    sql<Candidate>`select t.* from unnest(${setIds}::int[]) as s(id) cross join lateral (
          select t.id, t.ticket_id, t.visit_id, t.phase, t.ref, t.type, t.title, t.state, t.attempt, t.attempts_used, t.max_attempts, t.session_id, t.agent_id,
            (select v.number from phase_visits v where v.id = t.visit_id) as visit_number,
            t.capability_set_id, t.input, t.locks, t.timeout_ms, t.waiting_since, t.rank
          from tasks t
          where t.project_id = ${projectId} and t.capability_set_id = s.id and t.state = 'ready' and t.waiting_key is null and t.run_at <= statement_timestamp()
          order by t.rank, t.id limit ${limit} for update skip locked
        ) t order by t.rank, t.id`,
  );

export interface Assignment {
  readonly taskId: string;
  readonly sessionId: string;
  readonly agentId: string;
  readonly claimKey: string | undefined;
  readonly locks: readonly GrantedLock[];
}

/** Hands tasks out: a new attempt each, with the locks it was given. Returns how long each had waited for its locks, in ms. */
export async function writeAssignments(em: EntityManager, assignments: readonly Assignment[]): Promise<Map<string, number>> {
  const rows = JSON.stringify(
    assignments.map(({ taskId, sessionId, agentId, claimKey, locks }) => ({
      id: taskId,
      session_id: sessionId,
      agent_id: agentId,
      claim_key: claimKey ?? null,
      locks,
    })),
  );
  const waits = await rowsOf(
    em,
    sql<{ id: string; lockWaitMs: number }>`with x as (
          select * from jsonb_to_recordset(${rows}::jsonb) as x(id uuid, session_id uuid, agent_id uuid, claim_key text, locks jsonb)
        ), taken as (
          update tasks t set state = 'running', attempt = t.attempt + 1, session_id = x.session_id, agent_id = x.agent_id, waiting_since = null, progress = null,
            started_at = clock_timestamp(), deadline_at = clock_timestamp() + t.timeout_ms * interval '1 millisecond'
          from x where t.id = x.id
          returning t.id, t.attempt
        )
        insert into attempts (task_id, number, session_id, agent_id, claim_key, locks, lock_wait_ms)
        select x.id, taken.attempt, x.session_id, x.agent_id, x.claim_key, x.locks,
          coalesce((select extract(epoch from clock_timestamp() - o.waiting_since) * 1000 from tasks o where o.id = x.id), 0)
        from x join taken on taken.id = x.id
        returning task_id as id, lock_wait_ms`,
  );
  return new Map(waits.map(({ id, lockWaitMs }) => [id, lockWaitMs]));
}

/** Takes tasks whose lock is taken out of the scan until it is free. */
export const deferTasks = (em: EntityManager, deferred: readonly { readonly id: string; readonly key: string }[]): Promise<unknown[]> =>
  rowsOf(
    em,
    sql`update tasks t set waiting_key = x.key, waiting_since = coalesce(t.waiting_since, clock_timestamp())
        from jsonb_to_recordset(${JSON.stringify(deferred)}::jsonb) as x(id uuid, key text) where t.id = x.id`,
  );

export interface HeldClaim extends LockedTask {
  readonly input: JsonObject;
  readonly timeoutMs: number;
  readonly grantedLocks: GrantedLock[];
  readonly claimKey: string;
}

/** The attempts that claims with these keys were answered with and that still run. */
export const listHeldClaims = (
  em: EntityManager,
  claims: readonly { readonly sessionId: string; readonly claimKey: string }[],
): Promise<HeldClaim[]> =>
  rowsOf(
    em,
    sql<HeldClaim>`select t.id, t.ticket_id, t.visit_id, t.phase, t.ref, t.type, t.title, t.state, t.attempt, t.attempts_used, t.max_attempts, t.session_id, t.agent_id,
          (select v.number from phase_visits v where v.id = t.visit_id) as visit_number, t.input, t.timeout_ms, n.locks as granted_locks, n.claim_key
        from attempts n join tasks t on t.id = n.task_id and t.attempt = n.number and t.state = 'running'
          join jsonb_to_recordset(${JSON.stringify(claims)}::jsonb) as x("sessionId" uuid, "claimKey" text) on n.session_id = x."sessionId" and n.claim_key = x."claimKey"
        where n.outcome is null order by t.id`,
  );
