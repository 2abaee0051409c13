import type { JsonValue } from '@baton/protocol';
import { sql } from 'kysely';
import type { EntityManager } from '../db/orm.ts';
import { findRow } from '../db/rows.ts';

export interface ResultQuery {
  readonly ticketId: string;
  readonly ref: string;
  /** Looks in this visit, or in the newest visit of a phase. */
  readonly visitId?: string;
  readonly phase?: string;
}

export interface TaskResult {
  readonly output: JsonValue | null;
  readonly summary: string | null;
}

/** What the newest completed task with a reference brought. */
export function findTaskResult(em: EntityManager, { ticketId, ref, visitId, phase }: ResultQuery): Promise<TaskResult | undefined> {
  const place = visitId === undefined ? sql`t.phase = ${phase ?? ''}` : sql`t.visit_id = ${visitId}`;
  return findRow(
    em,
    sql<TaskResult>`select t.output, t.summary from tasks t
        where t.ticket_id = ${ticketId} and t.ref = ${ref} and t.state = 'completed' and ${place} order by t.id desc limit 1`,
  );
}
