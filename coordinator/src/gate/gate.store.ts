import type { GateResult, Task, TaskState } from '@baton/protocol';
import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import type { EntityManager } from '../db/orm.ts';
import { findRow, rowsOf, toTimestamp } from '../db/rows.ts';
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

/** Stores a result. Written for the purpose: what was judged may be long, and the unit of work would go over it several times. */
export async function insertResult(
  em: EntityManager,
  { visitId, ...result }: Omit<GateResult, 'id' | 'createdAt'> & { readonly visitId: string },
): Promise<GateResult> {
  const { ticketId, phase, visit, outcome, digest, durationMs } = result;
  const [judged, reasons, verdicts] = [result.judged, result.reasons, result.verdicts].map((list) => JSON.stringify(list));
  const id = uuidv7();
  const row = await findRow(
    em,
    sql<{ createdAt: string | Date }>`
      insert into gate_results (id, ticket_id, visit_id, phase, visit_number, outcome, digest, judged, reasons, verdicts, duration_ms)
      values (${id}, ${ticketId}, ${visitId}, ${phase}, ${visit}, ${outcome}, ${digest}, ${judged}::jsonb, ${reasons}::jsonb, ${verdicts}::jsonb,
        ${durationMs})
      returning created_at`,
  );
  if (row === undefined) throw new Error('An insert returns its row.');
  return { id, ...result, createdAt: toTimestamp(row.createdAt) };
}

export interface ResultQuery {
  readonly ticketId: string;
  readonly after?: string | undefined;
  readonly limit: number;
}

/** Oldest first. */
export async function listResults(
  em: EntityManager,
  { ticketId, after, limit }: ResultQuery,
): Promise<{ results: GateResult[]; next?: string }> {
  const where = { ticketId, ...(after !== undefined && { id: { $gt: after } }) };
  const rows = await em.find(GateResultEntity, where, { orderBy: { id: 'asc' }, limit: limit + 1 });
  const results = rows.slice(0, limit).map(toGateResult);
  const last = results.at(-1);
  return { results, ...(rows.length > limit && last !== undefined && { next: last.id }) };
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
