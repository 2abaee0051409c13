import type { PhaseVisit } from '@baton/protocol';
import { sql } from 'kysely';
import type { EntityManager } from '../db/orm.ts';
import { rowsOf } from '../db/rows.ts';
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

export const listVisits = (em: EntityManager, ticketId: string): Promise<PhaseVisitRow[]> =>
  em.find(PhaseVisitEntity, { ticketId }, { orderBy: { number: 'asc' } });

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
