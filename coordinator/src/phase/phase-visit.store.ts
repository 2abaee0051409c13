import type { PhaseVisit } from '@baton/protocol';
import { type RawBuilder, sql } from 'kysely';
import type { EntityManager } from '../db/orm.ts';
import { hasMore, pageOf } from '../db/page.ts';
import { findRow, rowsOf } from '../db/rows.ts';
import type { Tx } from '../db/transaction.ts';
import { PhaseVisitEntity, type PhaseVisitRow } from './phase-visit.entity.ts';

/** Lets those who add evidence to a visit take turns: versions and citation numbers are counted under this lock. */
export const lockVisits = ({ em, projectId }: Pick<Tx, 'em' | 'projectId'>, taskIds: readonly string[]): Promise<unknown[]> =>
  rowsOf(
    em,
    sql`select 1 from phase_visits where id in (select visit_id from tasks where id = any(${taskIds}::uuid[]) and project_id = ${projectId}) order by id for no key update`,
  );

export const lockVisit = (em: EntityManager, visitId: string): Promise<unknown[]> =>
  rowsOf(em, sql`select 1 from phase_visits where id = ${visitId} for no key update`);

export const getVisit = (em: EntityManager, visitId: string): Promise<PhaseVisitRow> => em.findOneOrFail(PhaseVisitEntity, { id: visitId });

export interface JudgingClaim {
  readonly visitId: string;
  readonly claimId: string;
}

const setClaim = ({ visitId, claimId }: JudgingClaim, leaseMs: number, condition: RawBuilder<unknown>) =>
  sql`update phase_visits set judging_by = ${claimId}, judging_until = clock_timestamp() + ${leaseMs} * interval '1 millisecond'
        where id = ${visitId} and ${condition} returning 1`;

/** Claims the judging of a visit's gate. False where another claim holds. */
export const claimJudging = async (em: EntityManager, claim: JudgingClaim, leaseMs: number): Promise<boolean> =>
  (await rowsOf(em, setClaim(claim, leaseMs, sql`(judging_until is null or judging_until <= clock_timestamp())`))).length > 0;

/** False where another claim has taken its place. */
export const renewJudging = async (em: EntityManager, claim: JudgingClaim, leaseMs: number): Promise<boolean> =>
  (await rowsOf(em, setClaim(claim, leaseMs, sql`judging_by = ${claim.claimId}`))).length > 0;

export const endJudging = (em: EntityManager, { visitId, claimId }: JudgingClaim): Promise<unknown[]> =>
  rowsOf(em, sql`update phase_visits set judging_by = null, judging_until = null where id = ${visitId} and judging_by = ${claimId}`);

export interface VisitQuery {
  readonly ticketId: string;
  /** Only those behind the visit of this number. */
  readonly after?: string | undefined;
  readonly limit: number;
}

/** A page of visits in order, with how long each has lasted by the clock of the database. */
export async function listVisits(
  em: EntityManager,
  { ticketId, after = '0', limit }: VisitQuery,
): Promise<{ visits: PhaseVisit[]; next?: string }> {
  const ordered = sql`select id, row_number() over (order by number) as place, octet_length(artifacts::text) + coalesce(octet_length(reason), 0) as bytes
      from phase_visits where ticket_id = ${ticketId} and number > ${Number(after)} order by number`;
  const page = await rowsOf(em, pageOf(ordered, limit));
  const visits = await em.find(PhaseVisitEntity, { id: page.map(({ id }) => id) }, { orderBy: { number: 'asc' } });
  const clock = await findRow(em, sql<{ now: string | Date }>`select clock_timestamp() as now`);
  if (clock === undefined) throw new Error('A select without a table returns its row.');
  const last = visits.at(-1);
  return {
    visits: visits.map((visit) => toPhaseVisit(visit, new Date(clock.now))),
    ...(hasMore(page) && last !== undefined && { next: String(last.number) }),
  };
}

export const toPhaseVisit = (row: PhaseVisitRow, now: Date): PhaseVisit => ({
  number: row.number,
  to: row.phase,
  by: row.movedBy,
  artifacts: row.artifacts,
  forced: row.forced,
  enteredAt: row.enteredAt.toISOString(),
  durationMs: Math.max(0, (row.leftAt ?? now).getTime() - row.enteredAt.getTime()),
  ...(typeof row.fromPhase === 'string' && { from: row.fromPhase }),
  ...(typeof row.kind === 'string' && { kind: row.kind }),
  ...(typeof row.reason === 'string' && { reason: row.reason }),
  ...(row.leftAt instanceof Date && { leftAt: row.leftAt.toISOString() }),
});
