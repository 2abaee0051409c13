import type { AttemptOutcome, GrantedLock } from '@baton/protocol';
import type { AttemptFacts } from '@baton/sdk/plugin';
import { sql } from 'kysely';
import type { EntityManager } from '../db/orm.ts';
import { rowsOf } from '../db/rows.ts';

/** All that the attempt `n` held at some time, whether declared by the task or taken on the way. */
export const locksOfAttempt = sql`n.locks || coalesce((select jsonb_agg(jsonb_build_object('key', l.key, 'mode', l.mode, 'fence', l.fence) order by l.fence, l.key)
    from attempt_locks l where l.task_id = n.task_id and l.attempt = n.number), '[]')`;

/** The attempts at the tasks of a visit, in the order in which they began. */
export async function listAttempts(em: EntityManager, visitId: string): Promise<AttemptFacts[]> {
  const rows = await rowsOf(
    em,
    sql<Omit<AttemptFacts, 'outcome'> & { outcome: AttemptOutcome | null }>`
        select n.task_id, n.number, a.name as agent_name, n.outcome,
          ${locksOfAttempt} as locks, k.name as token
        from attempts n join tasks t on t.id = n.task_id join agents a on a.id = n.agent_id
          join sessions s on s.id = n.session_id join tokens k on k.id = s.token_id
        where t.visit_id = ${visitId} order by n.started_at, n.task_id, n.number`,
  );
  return rows.map(({ outcome, ...row }) => ({ ...row, ...(outcome !== null && { outcome }) }));
}

export interface AttemptWork {
  readonly agentName: string;
  /** So far where the attempt has not ended. */
  readonly durationMs: number;
  /** All that it held at some time. */
  readonly locks: readonly GrantedLock[];
}

/** Whose attempts they are, how long they took and what they held, by the task. */
export async function findAttemptWork(
  em: EntityManager,
  attempts: readonly { readonly taskId: string; readonly attempt: number }[],
): Promise<Map<string, AttemptWork>> {
  if (attempts.length === 0) return new Map();
  const rows = await rowsOf(
    em,
    sql<
      AttemptWork & { taskId: string }
    >`select n.task_id, (extract(epoch from coalesce(n.finished_at, clock_timestamp()) - n.started_at) * 1000)::float8 as duration_ms, ${locksOfAttempt} as locks, a.name as agent_name
        from attempts n join agents a on a.id = n.agent_id join jsonb_to_recordset(${JSON.stringify(attempts.map(({ taskId, attempt }) => ({ taskId, attempt })))}::jsonb) as x("taskId" uuid, attempt int)
          on n.task_id = x."taskId" and n.number = x.attempt`,
  );
  return new Map(rows.map(({ taskId, ...work }) => [taskId, work]));
}
