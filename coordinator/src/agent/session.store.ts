import type { SessionEndReason } from '@baton/protocol';
import { sql } from 'kysely';
import type { EntityManager } from '../db/orm.ts';
import { findRow, rowsOf } from '../db/rows.ts';
import type { AttemptId } from './beat.store.ts';
import type { Touch } from './live-sessions.ts';

export interface SessionRow {
  readonly id: string;
  readonly projectId: string;
  readonly agentId: string;
  readonly agentName: string;
  readonly epoch: number;
}

/** Whose session is meant: it belongs to its token, and to a token of the same name that took its place. */
export interface SessionKey {
  readonly projectId: string;
  /** The token's. */
  readonly name: string;
}

const sessionColumns = sql`s.id, s.project_id, s.agent_id, a.name as agent_name, s.epoch`;

export interface SessionByToken extends SessionRow {
  readonly resumeHash: string;
  readonly tokenName: string;
}

export const belongsTo = (session: SessionByToken | undefined, { projectId, name }: SessionKey): session is SessionByToken =>
  session?.projectId === projectId && session.tokenName === name;

/** The sessions with these resume tokens that have not ended, whatever their leases say: a pause of ours may yet be forgiven. */
export const listSessionsByToken = (em: EntityManager, resumeHashes: readonly string[]): Promise<SessionByToken[]> =>
  rowsOf(
    em,
    sql<SessionByToken>`select ${sessionColumns}, s.resume_hash, k.name as token_name
        from sessions s join agents a on a.id = s.agent_id join tokens k on k.id = s.token_id
        where s.resume_hash = any(${resumeHashes}::text[]) and s.ended_at is null`,
  );

/** The living session with this resume token, where it is the caller's. */
export async function findSessionByToken(em: EntityManager, key: SessionKey, resumeHash: string): Promise<SessionRow | undefined> {
  const [session] = await listSessionsByToken(em, [resumeHash]);
  return belongsTo(session, key) ? session : undefined;
}

/** The session with this resume token that its agent has ended. */
export const findLeftSession = (em: EntityManager, { projectId, name }: SessionKey, resumeHash: string): Promise<SessionRow | undefined> =>
  findRow(
    em,
    sql<SessionRow>`select ${sessionColumns} from sessions s join agents a on a.id = s.agent_id join tokens k on k.id = s.token_id
        where s.resume_hash = ${resumeHash} and s.project_id = ${projectId} and k.name = ${name} and s.end_reason = 'deregistered'`,
  );

/** Locks a session that has not ended, whatever its lease says. */
export const lockSession = (em: EntityManager, sessionId: string): Promise<SessionRow | undefined> =>
  findRow(
    em,
    sql<SessionRow>`select ${sessionColumns} from sessions s join agents a on a.id = s.agent_id where s.id = ${sessionId} and s.ended_at is null for update of s`,
  );

/** Gives a session that this transaction has locked a lease from now on, where none that was promised lasts longer. */
export const renewLease = (em: EntityManager, sessionId: string, leaseMs: number): Promise<unknown[]> =>
  rowsOf(
    em,
    sql`update sessions set lease_until = greatest(lease_until, clock_timestamp() + ${leaseMs} * interval '1 millisecond'), last_seen_at = clock_timestamp()
        where id = ${sessionId}`,
  );

/** Locks a session only if its lease has ended by the database's clock; a beat that came in between saves it. */
export const lockExpiredSession = (em: EntityManager, sessionId: string): Promise<SessionRow | undefined> =>
  findRow(
    em,
    sql<SessionRow>`select ${sessionColumns} from sessions s join agents a on a.id = s.agent_id
        where s.id = ${sessionId} and s.ended_at is null and s.lease_until <= clock_timestamp() for update of s`,
  );

export const findLivingSession = (em: EntityManager, agentId: string): Promise<{ id: string } | undefined> =>
  findRow(em, sql<{ id: string }>`select id from sessions where agent_id = ${agentId} and ended_at is null`);

export interface NewSession {
  readonly id: string;
  readonly projectId: string;
  readonly agentId: string;
  readonly epoch: number;
  readonly tokenId: string;
  readonly resumeHash: string;
  readonly leaseMs: number;
}

export const insertSession = (
  em: EntityManager,
  { id, projectId, agentId, epoch, tokenId, resumeHash, leaseMs }: NewSession,
): Promise<unknown[]> =>
  rowsOf(
    em,
    sql`insert into sessions (id, project_id, agent_id, epoch, token_id, resume_hash, lease_until)
        values (${id}, ${projectId}, ${agentId}, ${epoch}, ${tokenId}, ${resumeHash}, clock_timestamp() + ${leaseMs} * interval '1 millisecond')`,
  );

export const markSessionEnded = (em: EntityManager, sessionId: string, reason: string): Promise<unknown[]> =>
  rowsOf(em, sql`update sessions set ended_at = clock_timestamp(), end_reason = ${reason} where id = ${sessionId}`);

/**
 * Extends the leases of all sessions that were heard of, in one statement, in the order in which everyone locks them, and
 * writes down how late their timers are. No lease becomes shorter: another coordinator may have promised a longer one. Returns the
 * ids of those that live; the others have ended, perhaps by another coordinator.
 */
export async function extendLeases(em: EntityManager, touches: readonly Touch[], leaseMs: number): Promise<Set<string>> {
  const rows = await rowsOf(
    em,
    sql<{
      id: string;
    }>`update sessions s set lease_until = greatest(s.lease_until, clock_timestamp() + ${leaseMs} * interval '1 millisecond'), last_seen_at = clock_timestamp(),
          event_loop_lag_ms = coalesce(heard.lag_ms, s.event_loop_lag_ms)
        from (select l.id, x."eventLoopLagMs" as lag_ms
                from jsonb_to_recordset(${JSON.stringify(touches)}::jsonb) as x("sessionId" uuid, "eventLoopLagMs" float8)
                  join sessions l on l.id = x."sessionId" and l.ended_at is null order by l.id for no key update of l) heard
        where s.id = heard.id returning s.id`,
  );
  return new Set(rows.map(({ id }) => id));
}

/**
 * A caller that waits for work in a call of ours cannot beat meanwhile in every language. While it holds nothing, its silence
 * endangers nothing; with work in hand it must beat.
 */
export async function extendIdleLeases(em: EntityManager, sessionIds: readonly string[], leaseMs: number): Promise<void> {
  if (sessionIds.length === 0) return;
  await rowsOf(
    em,
    sql`update sessions s set lease_until = greatest(s.lease_until, clock_timestamp() + ${leaseMs} * interval '1 millisecond')
        from (select id from sessions where id = any(${sessionIds}::uuid[]) and ended_at is null
                and not exists (select 1 from tasks t where t.session_id = sessions.id and t.state = 'running') order by id for no key update) idle
        where s.id = idle.id`,
  );
}

/** Gives these sessions a lease from now on, as a pause of the one coordinator that serves them demands. */
export const renewLeases = (em: EntityManager, sessionIds: readonly string[], leaseMs: number): Promise<unknown[]> =>
  rowsOf(
    em,
    sql`update sessions s set lease_until = greatest(s.lease_until, clock_timestamp() + ${leaseMs} * interval '1 millisecond')
        from (select id from sessions where id = any(${sessionIds}::uuid[]) and ended_at is null order by id for no key update) living
        where s.id = living.id`,
  );

/**
 * Where no coordinator has looked after sessions for longer than a pause, gives all of them the time that they lost: nobody
 * could beat. Nobody gets more than a whole lease, as whoever has been heard of during the pause would. Whoever comes first does
 * it, the others find it done. Returns the time given, in ms; 0 where there was no pause.
 */
export async function forgivePause(
  em: EntityManager,
  { pauseMs, leaseMs }: { readonly pauseMs: number; readonly leaseMs: number },
): Promise<number> {
  const gap = sql<{ gapMs: number }>`select (extract(epoch from clock_timestamp() - at) * 1000)::float8 as gap_ms from last_sweep`;
  if (((await findRow(em, gap))?.gapMs ?? 0) <= pauseMs) return 0;
  return em.transactional(async (em) => {
    const gapMs = (await findRow(em, sql<{ gapMs: number }>`${gap} for update`))?.gapMs ?? 0;
    if (gapMs <= pauseMs) return 0;
    await rowsOf(
      em,
      sql`update sessions s set lease_until = greatest(s.lease_until, least(s.lease_until + ${gapMs} * interval '1 millisecond',
            clock_timestamp() + greatest(s.lease_until - s.last_seen_at, ${leaseMs} * interval '1 millisecond')))
          from (select id from sessions where ended_at is null order by id for no key update) living where s.id = living.id`,
    );
    await markSwept(em, 0);
    return gapMs;
  });
}

/** Writes down that sessions were looked after so many ms ago. */
export const markSwept = (em: EntityManager, agoMs: number): Promise<unknown[]> =>
  rowsOf(
    em,
    sql`insert into last_sweep (at) values (clock_timestamp() - ${agoMs} * interval '1 millisecond')
        on conflict (id) do update set at = greatest(last_sweep.at, excluded.at)`,
  );

export const listExpiredSessions = (em: EntityManager, limit: number): Promise<{ id: string; projectId: string }[]> =>
  rowsOf(
    em,
    sql<{
      id: string;
      projectId: string;
    }>`select id, project_id from sessions where ended_at is null and lease_until <= clock_timestamp() order by lease_until limit ${limit}`,
  );

/** Of these sessions, those that have ended, with the reason. */
export const listEndedSessions = (em: EntityManager, sessionIds: readonly string[]): Promise<{ id: string; reason: SessionEndReason }[]> =>
  rowsOf(
    em,
    sql<{ id: string; reason: SessionEndReason }>`select id, end_reason as reason from sessions
        where id = any(${sessionIds}::uuid[]) and ended_at is not null`,
  );

export const listHeldAttempts = (em: EntityManager, sessionId: string): Promise<AttemptId[]> =>
  rowsOf(em, sql<AttemptId>`select id as task_id, attempt from tasks where session_id = ${sessionId} and state = 'running' order by id`);

export interface CancelledAttempt {
  readonly sessionId: string;
  readonly taskId: string;
  readonly attempt: number;
  /** With the phase, and not by itself. */
  readonly withPhase: boolean;
}

/** Of these tasks, the attempts of these sessions that were cancelled. */
export const listCancelledAttempts = (
  em: EntityManager,
  { taskIds, sessionIds }: { readonly taskIds: readonly string[]; readonly sessionIds: readonly string[] },
): Promise<CancelledAttempt[]> =>
  rowsOf(
    em,
    sql<CancelledAttempt>`select n.session_id, n.task_id, n.number as attempt, v.left_at is not null as with_phase
        from attempts n join tasks t on t.id = n.task_id join phase_visits v on v.id = t.visit_id
        where n.task_id = any(${taskIds}::uuid[]) and n.session_id = any(${sessionIds}::uuid[]) and n.outcome = 'cancelled'`,
  );
