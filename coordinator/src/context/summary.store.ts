import { sql } from 'kysely';
import type { EntityManager } from '../db/orm.ts';
import { rowsOf } from '../db/rows.ts';

/** What the completed tasks of a visit said of themselves, in the order of submission, and how many there were. */
export async function listSummaries(em: EntityManager, visitId: string): Promise<{ summaries: string[]; tasksCompleted: number }> {
  const rows = await rowsOf(
    em,
    sql<{ summary: string | null }>`select summary from tasks where visit_id = ${visitId} and state = 'completed' order by id`,
  );
  return { tasksCompleted: rows.length, summaries: [...new Set(rows.flatMap(({ summary }) => (summary === null ? [] : [summary])))] };
}
