import type { GateResult } from '@baton/protocol';
import { type RawBuilder, sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import type { EntityManager } from '../db/orm.ts';
import { findRow, rowsOf, toTimestamp } from '../db/rows.ts';

type ResultRow = Omit<GateResult, 'createdAt'> & { readonly createdAt: string | Date };

// What was judged is kept as ids: a version of an artifact never changes, and a result of a thousand would be long.
const resultColumns = sql`r.id, r.ticket_id, r.phase, r.visit_number as visit, r.outcome, r.digest, r.reasons, r.verdicts, r.duration_ms, r.created_at,
  (select coalesce(json_agg(json_build_object('artifactId', a.id, 'type', a.type, 'name', a.name, 'version', a.version, 'sha256', a.sha256) order by j.place), '[]')
    from unnest(r.judged) with ordinality as j(id, place) join artifacts a on a.id = j.id) as judged`;

const toGateResult = ({ createdAt, ...row }: ResultRow): GateResult => ({ ...row, createdAt: toTimestamp(createdAt) });

export interface NewResult extends Omit<GateResult, 'id' | 'createdAt'> {
  readonly visitId: string;
  /** A program took part in it. */
  readonly looksOutside: boolean;
}

export async function insertResult(em: EntityManager, { visitId, looksOutside, ...result }: NewResult): Promise<GateResult> {
  const { ticketId, phase, visit, outcome, digest, durationMs } = result;
  const id = uuidv7();
  const row = await findRow(
    em,
    sql<{ createdAt: string | Date }>`
      insert into gate_results (id, ticket_id, visit_id, phase, visit_number, outcome, digest, looks_outside, judged, reasons, verdicts, duration_ms)
      values (${id}, ${ticketId}, ${visitId}, ${phase}, ${visit}, ${outcome}, ${digest}, ${looksOutside},
        ${result.judged.map(({ artifactId }) => artifactId)}::uuid[], ${JSON.stringify(result.reasons)}::jsonb, ${JSON.stringify(result.verdicts)}::jsonb,
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
  const later =
    after === undefined ? sql`` : sql`and (r.created_at, r.id) > (select a.created_at, a.id from gate_results a where a.id = ${after})`;
  const rows = await rowsOf(
    em,
    sql<ResultRow>`select ${resultColumns} from gate_results r where r.ticket_id = ${ticketId} ${later} order by r.created_at, r.id limit ${limit + 1}`,
  );
  const results = rows.slice(0, limit).map(toGateResult);
  const last = results.at(-1);
  return { results, ...(rows.length > limit && last !== undefined && { next: last.id }) };
}

export const findNewestResult = (em: EntityManager, ticketId: string): Promise<GateResult | undefined> =>
  findNewest(em, sql`r.ticket_id = ${ticketId}`);

export const findNewestResultOfVisit = (em: EntityManager, visitId: string): Promise<GateResult | undefined> =>
  findNewest(em, sql`r.visit_id = ${visitId}`);

// By the clock of the database: of two coordinators one may be slow, and the id is of its clock.
async function findNewest(em: EntityManager, condition: RawBuilder<unknown>): Promise<GateResult | undefined> {
  const row = await findRow(
    em,
    sql<ResultRow>`select ${resultColumns} from gate_results r where ${condition} order by r.created_at desc, r.id desc limit 1`,
  );
  return row && toGateResult(row);
}

/** A result, as far as it takes to know whether it still stands. */
export type RecordedResult = Pick<GateResult, 'id' | 'outcome' | 'reasons' | 'digest'> & {
  /** It depends on the world outside, which may have changed since. */
  readonly hasAged: boolean;
};

/** The newest result of a visit. One that depends on the world outside has aged when it is so old, by the clock of the database. */
export const findRecordedResult = (em: EntityManager, visitId: string, outsideVerdictMs: number): Promise<RecordedResult | undefined> =>
  findRow(
    em,
    sql<RecordedResult>`select id, outcome, reasons, digest,
          looks_outside and created_at + ${outsideVerdictMs} * interval '1 millisecond' <= clock_timestamp() as has_aged
        from gate_results where visit_id = ${visitId} order by created_at desc, id desc limit 1`,
  );

/** How often the gate of a phase has refused the ticket, in all its visits. */
export async function countRefusals(em: EntityManager, ticketId: string, phase: string): Promise<number> {
  const [row] = await rowsOf(
    em,
    sql<{ n: number }>`select coalesce(sum(refusals), 0)::int as n from phase_visits where ticket_id = ${ticketId} and phase = ${phase}`,
  );
  return row?.n ?? 0;
}
