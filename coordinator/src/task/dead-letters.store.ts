import { CoordinatorError, type DeadLetter } from '@baton/protocol';
import { sql } from 'kysely';
import type { EntityManager } from '../db/orm.ts';
import { rowsOf, toTimestamp } from '../db/rows.ts';

export interface DeadLetterQuery {
  readonly projectId: string;
  readonly ticketId?: string | undefined;
  readonly code?: string | undefined;
  readonly after?: string | undefined;
  readonly limit: number;
}

type DeadLetterRow = Omit<DeadLetter, 'ref' | 'taskId'> & { readonly id: string; readonly ref: string | null };

/** A page of the tasks that have failed for good, the newest first. */
export async function listDeadLetters(
  em: EntityManager,
  { projectId, ticketId, code, after, limit }: DeadLetterQuery,
): Promise<{ deadLetters: DeadLetter[]; next?: string }> {
  const conditions = [sql`t.project_id = ${projectId}`, sql`t.state = 'failed'`];
  if (ticketId !== undefined) conditions.push(sql`t.ticket_id = ${ticketId}`);
  if (code !== undefined) conditions.push(sql`t.error->>'code' = ${code}`);
  if (after !== undefined) {
    const { failedAt, id } = readCursor(after);
    conditions.push(sql`(t.finished_at, t.id) < (${failedAt}::timestamptz, ${id}::uuid)`);
  }
  const rows = await rowsOf(
    em,
    sql<
      DeadLetterRow & { cursor: string }
    >`select t.id, t.ticket_id, t.phase, v.number as visit, t.ref, t.type, t.title, t.error, n.outcome, t.attempt, t.max_attempts,
          n.agent_id, a.name as agent_name, t.finished_at as failed_at, k.visit_id = t.visit_id as is_retryable, t.finished_at::text || '/' || t.id as cursor
        from tasks t join phase_visits v on v.id = t.visit_id join tickets k on k.id = t.ticket_id
          join attempts n on n.task_id = t.id and n.number = t.attempt join agents a on a.id = n.agent_id
        where ${sql.join(conditions, sql` and `)} order by t.finished_at desc, t.id desc limit ${limit + 1}`,
  );
  const next = rows.length > limit ? rows[limit - 1]?.cursor : undefined;
  return { deadLetters: rows.slice(0, limit).map(toDeadLetter), ...(next !== undefined && { next }) };
}

const toDeadLetter = ({ id, ref, failedAt, cursor: _, ...same }: DeadLetterRow & { cursor: string }): DeadLetter => ({
  ...same,
  taskId: id,
  failedAt: toTimestamp(failedAt),
  ...(ref !== null && { ref }),
});

/** A moment as the database writes it, and the id of the task that failed then. */
const cursorForm = /^(\d{4,6}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{1,6})?[+-]\d\d(?::\d\d)?)\/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/;

function readCursor(text: string): { failedAt: string; id: string } {
  const [, failedAt, id] = cursorForm.exec(text) ?? [];
  const isMoment = failedAt !== undefined && !Number.isNaN(Date.parse(failedAt));
  if (id === undefined || !isMoment)
    throw new CoordinatorError('invalid_params', { fields: [{ path: 'after', message: 'Give `next` of the page before.' }] });
  return { failedAt, id };
}
