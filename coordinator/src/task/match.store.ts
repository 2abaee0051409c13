import type { Agent, GrantedLock, JsonObject, LockRequest } from '@baton/protocol';
import { type RawBuilder, sql } from 'kysely';
import type { EntityManager } from '../db/orm.ts';
import { rowsOf } from '../db/rows.ts';
import type { CapabilitySet, ServedSet } from './match-rules.ts';
import { lockedColumns, type LockedTask } from './task.store.ts';

export interface SeekerRow {
  readonly sessionId: string;
  readonly agentId: string;
  readonly agentName: string;
  readonly capabilities: string[];
  readonly state: Agent['state'];
  readonly available: boolean;
  readonly capacity: number;
  readonly running: number;
}

/**
 * The sessions that live, with what they run. Their rows are held against other claims and against their end; beats wait a
 * moment. What is counted is counted after the rows are held, or a claim that was under way would not be seen.
 */
export async function lockSeekers(em: EntityManager, sessionIds: readonly string[]): Promise<SeekerRow[]> {
  await rowsOf(em, sql`select 1 from sessions where id = any(${sessionIds}::uuid[]) and ended_at is null order by id for no key update`);
  return rowsOf(
    em,
    sql<SeekerRow>`select s.id as session_id, a.id as agent_id, a.name as agent_name, a.capabilities, a.state, a.available, a.capacity,
          coalesce(r.count, 0) as running
        from sessions s join agents a on a.id = s.agent_id
          left join (select session_id, count(*)::int from tasks where session_id = any(${sessionIds}::uuid[]) and state = 'running' group by session_id) r
            on r.session_id = s.id
        where s.id = any(${sessionIds}::uuid[]) and s.ended_at is null`,
  );
}

/** The sets of which all names are among these: what they need of versions is still to be looked at. */
export const listCoveredSets = (em: EntityManager, projectId: string, names: readonly string[]): Promise<CapabilitySet[]> =>
  rowsOf(
    em,
    sql<CapabilitySet>`select id, capabilities from capability_sets where project_id = ${projectId} and capability_names <@ ${names}::text[]`,
  );

/** A task `t` that may be handed out now, to whomever it is for. */
export const isClaimable = sql`t.state = 'ready' and t.waiting_key is null and t.run_at <= statement_timestamp()`;

/** A task `t` that is out of the scan for a time: it waits for its moment, or is kept for somebody. */
export const isPutOff = sql`t.state = 'ready' and (t.delayed or t.reserved_for is not null)`;

/** A task `t` that is claimable, kept for nobody and in the scan. */
export const isOffered = sql`${isClaimable} and not t.delayed and t.reserved_for is null`;

/** How many tasks one round puts back into the scan. */
export const dueMax = 500;

/**
 * Puts tasks whose time has come, or that have been kept for somebody long enough, into the scan: those first that have been
 * due the longest. What another transaction puts there is passed over. Returns how many.
 */
export async function putDueBack(em: EntityManager, projectId: string): Promise<number> {
  const due = await rowsOf(
    em,
    sql`update tasks set delayed = false, reserved_for = null, reserved_until = null where id = any(array(
          select t.id from tasks t where t.project_id = ${projectId} and ${isPutOff} and greatest(t.run_at, t.reserved_until) <= statement_timestamp()
          order by greatest(t.run_at, t.reserved_until) limit ${dueMax} for update skip locked)) returning id`,
  );
  return due.length;
}

/**
 * Who did, or has in hand, what the doer of `t` must not have done. An author task is a dependency too, so that its completing
 * attempt is known when `t` is ready.
 */
export const authorIds = sql`array(select o.agent_id from task_exclusions e join tasks o on o.id = e.author_task_id
  where e.task_id = t.id and o.agent_id is not null and o.state in ('running', 'completed'))`;

export interface Candidate extends Omit<LockedTask, 'visitNumber'> {
  readonly capabilitySetId: number;
  readonly locks: LockRequest[];
  readonly waitingSince: string | null;
  readonly authorIds: string[];
  readonly reservedFor: string | null;
}

export interface CandidateQuery {
  readonly projectId: string;
  readonly sets: readonly ServedSet[];
  readonly limit: number;
  /** Only tasks of this ticket. */
  readonly ticketId?: string | undefined;
  /** Only these tasks. */
  readonly taskIds?: readonly string[] | undefined;
}

/**
 * The first tasks in rank of some sets that may run now and that one of the agents of their set may do, passing over those
 * another transaction is about to take: what is reserved for one of the agents first. Tasks of other sets are never looked
 * at, and few more rows are held than are asked for.
 */
export function lockCandidates(em: EntityManager, query: CandidateQuery): Promise<Candidate[]> {
  const { projectId, sets, limit } = query;
  const agentIds = [...new Set(sets.flatMap((set) => set.agentIds))];
  const served = JSON.stringify(sets.map(({ id, agentIds: doers }) => ({ id, doers })));
  return rowsOf(
    em,
    sql<Candidate>`with served as (select id, doers from jsonb_to_recordset(${served}::jsonb) as x(id int, doers uuid[]))
        select c.* from (
          select t.*, true as is_kept from unnest(${agentIds}::uuid[]) as a(id) cross join lateral (
            select ${candidateColumns}, t.reserved_for from tasks t
            where t.reserved_for = a.id and t.reserved_until > statement_timestamp() and t.project_id = ${projectId} and ${isClaimable}
              and exists (select 1 from served s where s.id = t.capability_set_id and a.id = any(s.doers))
            order by t.rank, t.id limit ${limit} for update of t skip locked) t
          union all
          select t.*, false from (${sharesOf(query)}) s cross join lateral (
            select ${candidateColumns}, null::uuid from tasks t where ${isForServed(query)}
            order by t.rank, t.id limit s.share for update of t skip locked) t
        ) c order by c.is_kept desc, c.rank, c.id`,
  );
}

const candidateColumns = sql`t.id, t.ticket_id, t.visit_id, t.phase, t.ref, t.type, t.title, t.state, t.attempt, t.attempts_used, t.max_attempts, t.session_id, t.agent_id,
    t.capability_set_id, t.locks, t.waiting_since, ${authorIds} as author_ids, t.rank`;

/** A task `t` that is offered to the doers of a row `s` of `served`. */
function isForServed({ projectId, ticketId, taskIds }: CandidateQuery): RawBuilder<unknown> {
  const ofTicket = ticketId === undefined ? sql`` : sql`and t.ticket_id = ${ticketId}`;
  const amongTasks = taskIds === undefined ? sql`` : sql`and t.id = any(${taskIds}::uuid[])`;
  // What none of those who ask may do must not stand before what they may. Of most tasks one look into an index is enough; an
  // `exists` in its place may be answered by hashing all exclusions there ever were.
  const hasDoer = sql`((select true from task_exclusions e where e.task_id = t.id limit 1) is null or not s.doers <@ ${authorIds})`;
  return sql`t.project_id = ${projectId} and t.capability_set_id = s.id and ${isOffered} and ${hasDoer} ${ofTicket} ${amongTasks}`;
}

/**
 * Each row of `served` with how many tasks of its set are looked at. With several sets it is found out first how many of each are
 * among the first of all, and only these are held: these and one more of each, so that what another transaction holds of one
 * set does not hide the others.
 */
function sharesOf(query: CandidateQuery): RawBuilder<unknown> {
  const { sets, limit } = query;
  if (sets.length === 1) return sql`select id, doers, ${limit}::bigint as share from served`;
  const first = sql`select s.id from served s
    cross join lateral (select t.rank, t.id from tasks t where ${isForServed(query)} order by t.rank, t.id limit ${limit}) t
    order by t.rank, t.id limit ${limit}`;
  return sql`select s.id, s.doers, 1 + coalesce(f.count, 0) as share
    from served s left join (select id, count(*) from (${first}) f group by id) f on f.id = s.id`;
}

export interface Assignment {
  readonly taskId: string;
  readonly sessionId: string;
  readonly agentId: string;
  readonly claimKey: string | undefined;
  readonly locks: readonly GrantedLock[];
}

/** What a task that is handed out needs beside what decided about it. */
export interface Handed {
  readonly id: string;
  readonly visitNumber: number;
  readonly input: JsonObject;
  readonly timeoutMs: number;
  /** How long it had waited for its locks, in ms. */
  readonly lockWaitMs: number;
}

/** Hands tasks out: a new attempt each, with the locks it was given. Reservations have done their service. */
export function writeAssignments(em: EntityManager, assignments: readonly Assignment[]): Promise<Handed[]> {
  const rows = JSON.stringify(
    assignments.map(({ taskId, sessionId, agentId, claimKey, locks }) => ({
      id: taskId,
      session_id: sessionId,
      agent_id: agentId,
      claim_key: claimKey ?? null,
      locks,
    })),
  );
  return rowsOf(
    em,
    sql<Handed>`with x as (
          select * from jsonb_to_recordset(${rows}::jsonb) as x(id uuid, session_id uuid, agent_id uuid, claim_key text, locks jsonb)
        ), taken as (
          update tasks t set state = 'running', attempt = t.attempt + 1, session_id = x.session_id, agent_id = x.agent_id, waiting_since = null, progress = null,
            reserved_for = null, reserved_until = null, delayed = false,
            started_at = clock_timestamp(), deadline_at = clock_timestamp() + t.timeout_ms * interval '1 millisecond'
          from x where t.id = x.id
          returning t.id, t.attempt, t.visit_id, t.input, t.timeout_ms
        ), begun as (
          insert into attempts (task_id, number, session_id, agent_id, claim_key, locks, lock_wait_ms)
          select x.id, taken.attempt, x.session_id, x.agent_id, x.claim_key, x.locks,
            coalesce((select extract(epoch from clock_timestamp() - o.waiting_since) * 1000 from tasks o where o.id = x.id), 0)
          from x join taken on taken.id = x.id
          returning task_id, lock_wait_ms
        )
        select taken.id, v.number as visit_number, taken.input, taken.timeout_ms, begun.lock_wait_ms
        from taken join begun on begun.task_id = taken.id join phase_visits v on v.id = taken.visit_id`,
  );
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

/**
 * The attempts that claims with these keys were answered with and that still run. That they are answered with once more is
 * written down: from here on nobody takes them back because an earlier call has gone.
 */
export const repeatClaims = (
  em: EntityManager,
  claims: readonly { readonly sessionId: string; readonly claimKey: string }[],
): Promise<HeldClaim[]> =>
  rowsOf(
    em,
    sql<HeldClaim>`with held as (
          update attempts n set repeated = true from jsonb_to_recordset(${JSON.stringify(claims)}::jsonb) as x("sessionId" uuid, "claimKey" text)
          where n.session_id = x."sessionId" and n.claim_key = x."claimKey" and n.outcome is null
          returning n.task_id, n.number, n.locks, n.claim_key
        )
        select ${lockedColumns}, t.input, t.timeout_ms, held.locks as granted_locks, held.claim_key
        from held join tasks t on t.id = held.task_id and t.attempt = held.number and t.state = 'running' order by t.id`,
  );

/** The attempts that a session runs. */
export const listRunningClaims = (em: EntityManager, sessionId: string): Promise<Omit<HeldClaim, 'claimKey'>[]> =>
  rowsOf(
    em,
    sql<Omit<HeldClaim, 'claimKey'>>`select ${lockedColumns}, t.input, t.timeout_ms, n.locks as granted_locks
        from tasks t join attempts n on n.task_id = t.id and n.number = t.attempt
        where t.session_id = ${sessionId} and t.state = 'running' order by t.id`,
  );

/**
 * Takes the keys off attempts that no repeated claim was answered with, so that none will be, and returns these attempts. The
 * others belong to whoever sent the claim again.
 */
export const withdrawKeys = (
  em: EntityManager,
  attempts: readonly { readonly taskId: string; readonly attempt: number }[],
): Promise<{ taskId: string; attempt: number; sessionId: string }[]> =>
  rowsOf(
    em,
    sql<{
      taskId: string;
      attempt: number;
      sessionId: string;
    }>`update attempts n set claim_key = null from jsonb_to_recordset(${JSON.stringify(attempts)}::jsonb) as x("taskId" uuid, attempt int)
        where n.task_id = x."taskId" and n.number = x.attempt and n.outcome is null and not n.repeated
        returning n.task_id, n.number as attempt, n.session_id`,
  );
