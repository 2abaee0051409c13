import type { GateResult } from '@baton/protocol';
import { type RawBuilder, sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import type { EntityManager } from '../db/orm.ts';
import { hasMore, pageOf } from '../db/page.ts';
import { findRow, rowsOf, toTimestamp } from '../db/rows.ts';

type ResultRow = Omit<GateResult, 'createdAt' | 'verdictsOf'> & { readonly createdAt: string | Date; readonly verdictsOf: string | null };

// What was judged is kept as ids: a version of an artifact never changes, and a result of a thousand would be long.
const resultColumns = sql`r.id, r.ticket_id, r.phase, r.visit_number as visit, r.outcome, r.digest, r.reasons, r.verdicts, r.duration_ms, r.created_at, r.verdicts_of,
  (select coalesce(json_agg(json_build_object('artifactId', a.id, 'type', a.type, 'name', a.name, 'version', a.version, 'sha256', a.sha256) order by j.place), '[]')
    from unnest(r.judged) with ordinality as j(id, place) join artifacts a on a.id = j.id) as judged`;

const toGateResult = ({ createdAt, verdictsOf, ...row }: ResultRow): GateResult => ({
  ...row,
  createdAt: toTimestamp(createdAt),
  ...(verdictsOf !== null && { verdictsOf }),
});

export interface NewResult extends Omit<GateResult, 'id' | 'createdAt'> {
  readonly visitId: string;
  /** Of what validators are shown, whether they were asked or not. */
  readonly shownDigest: string;
  /** A program took part in it. */
  readonly looksOutside: boolean;
}

export async function insertResult(em: EntityManager, { visitId, shownDigest, looksOutside, ...result }: NewResult): Promise<GateResult> {
  const { ticketId, phase, visit, outcome, digest, durationMs, verdictsOf = null } = result;
  const id = uuidv7();
  const row = await findRow(
    em,
    sql<{ createdAt: string | Date }>`
      insert into gate_results (id, ticket_id, visit_id, phase, visit_number, outcome, digest, looks_outside, judged, reasons, verdicts, duration_ms, shown_digest, verdicts_of)
      values (${id}, ${ticketId}, ${visitId}, ${phase}, ${visit}, ${outcome}, ${digest}, ${looksOutside},
        ${result.judged.map(({ artifactId }) => artifactId)}::uuid[], ${JSON.stringify(result.reasons)}::jsonb, ${JSON.stringify(result.verdicts)}::jsonb,
        ${durationMs}, ${shownDigest}, ${verdictsOf})
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

/** What a judged version takes in a result, in bytes of JSON: an id of 36, a digest of 64, the names of the fields, and room for its own. */
const judgedBytes = 250;

/** Oldest first. */
export async function listResults(
  em: EntityManager,
  { ticketId, after, limit }: ResultQuery,
): Promise<{ results: GateResult[]; next?: string }> {
  const later =
    after === undefined ? sql`` : sql`and (r.created_at, r.id) > (select a.created_at, a.id from gate_results a where a.id = ${after})`;
  const ordered = sql`select r.id, row_number() over (order by r.created_at, r.id) as place,
        octet_length(r.reasons::text) + octet_length(r.verdicts::text) + ${judgedBytes} * cardinality(r.judged) as bytes
      from gate_results r where r.ticket_id = ${ticketId} ${later} order by r.created_at, r.id`;
  const rows = await rowsOf(
    em,
    sql<ResultRow & { found: number }>`
      with page as (${pageOf(ordered, limit)}) select ${resultColumns}, p.found from page p join gate_results r on r.id = p.id order by p.place`,
  );
  const results = rows.map(({ found: _, ...row }) => toGateResult(row));
  const last = results.at(-1);
  return { results, ...(hasMore(rows) && last !== undefined && { next: last.id }) };
}

/** A result that is known to be there. */
export async function getResult(em: EntityManager, resultId: string): Promise<GateResult> {
  const result = await findNewest(em, sql`r.id = ${resultId}`);
  if (result === undefined) throw new Error(`There is no result ${resultId} of a gate.`);
  return result;
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

// Verdicts that were taken over are as old as the result that they were taken from.
const hasAged = (outsideVerdictMs: number) =>
  sql`r.looks_outside and coalesce((select o.created_at from gate_results o where o.id = r.verdicts_of), r.created_at)
        + ${outsideVerdictMs} * interval '1 millisecond' <= clock_timestamp()`;

/** The newest result of a visit. One that depends on the world outside has aged when it is so old, by the clock of the database. */
export const findRecordedResult = (em: EntityManager, visitId: string, outsideVerdictMs: number): Promise<RecordedResult | undefined> =>
  findRow(
    em,
    sql<RecordedResult>`select id, outcome, reasons, digest, ${hasAged(outsideVerdictMs)} as has_aged
        from gate_results r where visit_id = ${visitId} order by created_at desc, id desc limit 1`,
  );

/** What the validators of a gate said, with the result that they said it in. */
export interface GivenVerdicts extends Pick<GateResult, 'verdicts' | 'reasons'> {
  readonly verdictsOf: string;
  readonly looksOutside: boolean;
}

/** The verdicts of the newest result of a visit, where validators were shown exactly this and what they said has not aged. */
export const findGivenVerdicts = (
  em: EntityManager,
  { visitId, shownDigest, outsideVerdictMs }: { readonly visitId: string; readonly shownDigest: string; readonly outsideVerdictMs: number },
): Promise<GivenVerdicts | undefined> =>
  findRow(
    em,
    sql<GivenVerdicts>`with newest as (select * from gate_results where visit_id = ${visitId} order by created_at desc, id desc limit 1)
      select coalesce(r.verdicts_of, r.id) as verdicts_of, r.verdicts, r.reasons, r.looks_outside
        from newest r where r.shown_digest = ${shownDigest} and not (${hasAged(outsideVerdictMs)})`,
  );

/** How often exactly this has been judged. */
export async function countResults(em: EntityManager, visitId: string, digest: string): Promise<number> {
  const [row] = await rowsOf(
    em,
    sql<{ n: number }>`select count(*)::int as n from gate_results where visit_id = ${visitId} and digest = ${digest}`,
  );
  return row?.n ?? 0;
}

/** How often the gate of a phase has refused the ticket, in all its visits. */
export async function countRefusals(em: EntityManager, ticketId: string, phase: string): Promise<number> {
  const [row] = await rowsOf(
    em,
    sql<{ n: number }>`select coalesce(sum(refusals), 0)::int as n from phase_visits where ticket_id = ${ticketId} and phase = ${phase}`,
  );
  return row?.n ?? 0;
}
