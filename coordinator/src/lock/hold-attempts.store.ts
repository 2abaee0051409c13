import { sql } from 'kysely';
import { rowsOf } from '../db/rows.ts';
import type { Tx } from '../db/transaction.ts';
import type { Holder } from './lock-table.ts';

export interface AttemptHold {
  readonly id: string;
  readonly state: string;
  readonly attempt: number;
  readonly sessionId: string | null;
}

/** The tasks for which locks are to be held, by their ids. Their attempts cannot end before this transaction does. */
export async function holdAttempts({ em, projectId }: Tx, holders: readonly Holder[]): Promise<ReadonlyMap<string, AttemptHold>> {
  const ids = holders.flatMap(({ taskId }) => taskId ?? []);
  if (ids.length === 0) return new Map();
  const rows = await rowsOf(
    em,
    sql<AttemptHold>`select id, state, attempt, session_id from tasks
        where id = any(${ids}::uuid[]) and project_id = ${projectId} order by id for share`,
  );
  return new Map(rows.map((row) => [row.id, row]));
}
