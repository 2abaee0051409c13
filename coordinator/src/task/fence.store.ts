import { CoordinatorError } from '@baton/protocol';
import { sql } from 'kysely';
import type { EntityManager } from '../db/orm.ts';
import { findRow, rowsOf } from '../db/rows.ts';
import type { Tx } from '../db/transaction.ts';
import { lockVisits } from '../phase/phase-visit.store.ts';

/**
 * Keeps living sessions from ending before this transaction does. Beats are plain updates and do not wait for this; the end
 * of a session takes the whole row and does.
 * @returns the ids of those that live
 */
export async function holdSessions(em: EntityManager, sessionIds: readonly string[]): Promise<Set<string>> {
  const rows = await rowsOf(
    em,
    sql<{
      id: string;
    }>`select id from sessions where id = any(${[...new Set(sessionIds)]}::uuid[]) and ended_at is null order by id for key share`,
  );
  return new Set(rows.map(({ id }) => id));
}

export async function holdSession(em: EntityManager, sessionId: string): Promise<void> {
  const living = await holdSessions(em, [sessionId]);
  if (!living.has(sessionId)) throw new CoordinatorError('session_unknown');
}

/** Keeps the tickets of tasks in their phases and lets those who change their visits take turns, until the transaction ends. */
export async function holdPlaces(tx: Pick<Tx, 'em' | 'projectId'>, taskIds: readonly string[]): Promise<void> {
  await rowsOf(
    tx.em,
    sql`select 1 from tickets where id in (select ticket_id from tasks where id = any(${taskIds}::uuid[]) and project_id = ${tx.projectId}) order by id for key share`,
  );
  await lockVisits(tx, taskIds);
}

export interface Fence {
  readonly taskId: string;
  readonly attempt?: number | undefined;
  /** Whose attempt it must be: of this session, or without one of a session that the token of this name has registered. */
  readonly sessionId: string | undefined;
  readonly token: string;
}

/**
 * Makes sure that an attempt, whether it runs or has ended, is one of the caller's agent. A task of another project is none.
 * @throws CoordinatorError `claim_stale`
 */
export async function findOwnAttempt(
  { em, projectId }: Pick<Tx, 'em' | 'projectId'>,
  { taskId, attempt, sessionId, token }: Fence & { readonly attempt: number },
): Promise<{ ticketId: string; attempt: number }> {
  const isOwn =
    sessionId === undefined
      ? sql`exists (select 1 from sessions s join tokens k on k.id = s.token_id where s.id = n.session_id and k.name = ${token})`
      : sql`n.agent_id = (select agent_id from sessions where id = ${sessionId})`;
  const row = await findRow(
    em,
    sql<{ ticketId: string; attempt: number }>`select t.ticket_id, n.number as attempt from attempts n join tasks t on t.id = n.task_id
        where n.task_id = ${taskId} and n.number = ${attempt} and t.project_id = ${projectId} and ${isOwn}`,
  );
  if (row === undefined) throw new CoordinatorError('claim_stale', { taskId, attempt });
  return row;
}

/**
 * Makes sure that an attempt still runs, and keeps it from ending before this transaction does. A task of another project is
 * none.
 * @throws CoordinatorError `claim_stale`
 */
export async function holdAttempt(
  { em, projectId }: Pick<Tx, 'em' | 'projectId'>,
  { taskId, attempt, sessionId, token }: Fence,
): Promise<{ ticketId: string; depth: number; attempt: number }> {
  const row = await findRow(
    em,
    sql<{ ticketId: string; depth: number; state: string; attempt: number; sessionId: string | null; token: string | null }>`
        select ticket_id, depth, state, attempt, session_id,
          (select k.name from sessions s join tokens k on k.id = s.token_id where s.id = tasks.session_id) as token
        from tasks where id = ${taskId} and project_id = ${projectId} for share`,
  );
  const isCurrent =
    row?.state === 'running' &&
    (attempt === undefined || row.attempt === attempt) &&
    (sessionId === undefined ? row.token === token : row.sessionId === sessionId);
  if (row === undefined || !isCurrent) {
    throw new CoordinatorError('claim_stale', { taskId, attempt, ...(row && { state: row.state, currentAttempt: row.attempt }) });
  }
  return row;
}
