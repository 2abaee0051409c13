import type { GateResult, Task, TaskState } from '@baton/protocol';
import { sql } from 'kysely';
import type { EntityManager } from '../db/orm.ts';
import { rowsOf } from '../db/rows.ts';
import { GateResultEntity, type GateResultRow } from './gate-result.entity.ts';

export const toGateResult = (row: GateResultRow): GateResult => ({
  id: row.id,
  ticketId: row.ticketId,
  phase: row.phase,
  visit: row.visitNumber,
  outcome: row.outcome,
  digest: row.digest,
  judged: row.judged,
  reasons: row.reasons,
  verdicts: row.verdicts,
  durationMs: row.durationMs,
  createdAt: row.createdAt.toISOString(),
});

export async function listResults(em: EntityManager, ticketId: string): Promise<GateResult[]> {
  return (await em.find(GateResultEntity, { ticketId }, { orderBy: { id: 'asc' } })).map(toGateResult);
}

export async function findNewestResult(em: EntityManager, ticketId: string): Promise<GateResult | undefined> {
  const row = await em.findOne(GateResultEntity, { ticketId }, { orderBy: { id: 'desc' } });
  return row === null ? undefined : toGateResult(row);
}

export async function findNewestResultOfVisit(em: EntityManager, visitId: string): Promise<GateResult | undefined> {
  const row = await em.findOne(GateResultEntity, { visitId }, { orderBy: { id: 'desc' } });
  return row === null ? undefined : toGateResult(row);
}

export interface JudgedTask {
  readonly id: string;
  readonly ref: string | null;
  readonly title: string;
  readonly state: TaskState;
  readonly error: Task['error'] | null;
}

/** The tasks of a visit that a gate looks at: a later task with the same reference has taken the place of an earlier. */
export const listJudgedTasks = (em: EntityManager, visitId: string): Promise<JudgedTask[]> =>
  rowsOf(
    em,
    sql<JudgedTask>`select distinct on (coalesce(ref, id::text)) id, ref, title, state, error from tasks where visit_id = ${visitId} order by coalesce(ref, id::text), id desc`,
  );

/** How often the gate of a phase has refused the ticket, in all its visits. */
export async function countRefusals(em: EntityManager, ticketId: string, phase: string): Promise<number> {
  const [row] = await rowsOf(
    em,
    sql<{ n: number }>`select coalesce(sum(refusals), 0)::int as n from phase_visits where ticket_id = ${ticketId} and phase = ${phase}`,
  );
  return row?.n ?? 0;
}
