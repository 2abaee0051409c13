import { CoordinatorError, type Ticket } from '@baton/protocol';
import { LockMode } from '@mikro-orm/core';
import { sql } from 'kysely';
import type { EntityManager } from '../db/orm.ts';
import { findRow, rowsOf } from '../db/rows.ts';
import type { WorkflowRow } from '../workflow/workflow.entity.ts';
import { TicketEntity, type TicketRow } from './ticket.entity.ts';

export async function getTicket(em: EntityManager, projectId: string, id: string): Promise<TicketRow> {
  return (await em.findOne(TicketEntity, { id, projectId })) ?? refuseMissing(id);
}

/** Locks the row until the transaction ends, so that two transitions of one ticket take turns. */
export async function lockTicket(em: EntityManager, projectId: string, id: string): Promise<TicketRow> {
  return (await em.findOne(TicketEntity, { id, projectId }, { lockMode: LockMode.PESSIMISTIC_WRITE })) ?? refuseMissing(id);
}

/** Keeps the ticket in its phase until the transaction ends; others may add to it at the same time. */
export async function holdTicket(em: EntityManager, projectId: string, id: string): Promise<TicketRow> {
  await rowsOf(em, sql`select 1 from tickets where id = ${id} and project_id = ${projectId} for key share`);
  return getTicket(em, projectId, id);
}

export type HeldTicket = Pick<TicketRow, 'id' | 'state' | 'phase' | 'visitId' | 'priority'>;

/** As `holdTicket`, for many in the order of their ids: those of the project that are there. */
export async function holdTickets(em: EntityManager, projectId: string, ids: readonly string[]): Promise<Map<string, HeldTicket>> {
  const rows = await rowsOf(
    em,
    sql<HeldTicket>`select id, state, phase, visit_id, priority from tickets
        where id = any(${[...new Set(ids)]}::uuid[]) and project_id = ${projectId} order by id for key share`,
  );
  return new Map(rows.map((row) => [row.id, row]));
}

function refuseMissing(ticketId: string): never {
  throw new CoordinatorError('ticket_not_found', { ticketId });
}

export const toTicket = (row: TicketRow, workflow: Pick<WorkflowRow, 'name' | 'version'>): Ticket => ({
  id: row.id,
  title: row.title,
  priority: row.priority,
  workflow: { name: workflow.name, version: workflow.version },
  phase: row.phase,
  visit: row.visitNumber,
  state: row.state,
  metadata: row.metadata,
  createdAt: row.createdAt.toISOString(),
  updatedAt: row.updatedAt.toISOString(),
  version: row.version,
  ...(typeof row.description === 'string' && { description: row.description }),
  ...(typeof row.previousPhase === 'string' && { previousPhase: row.previousPhase }),
  ...(typeof row.blockedReason === 'string' && { blockedReason: row.blockedReason }),
});

/** A visit `v` of a ticket `t` that leaves it by itself, with no task open, and whose gate no coordinator is judging. */
const mayAdvance = sql`t.visit_id = v.id and t.state = 'open' and t.automatic and coalesce(v.judging_until <= clock_timestamp(), true)
          and not exists (select 1 from tasks where visit_id = v.id and state in ('blocked', 'ready', 'running'))`;

/**
 * Tickets that their workflow may move. First those that it has been told of, then those that it has left alone for long enough, and
 * of each those first that have waited longest: however many wait for people, what has something to be done is looked at before them.
 */
export const listTicketsToAdvance = (em: EntityManager, limit: number): Promise<{ id: string; projectId: string }[]> =>
  rowsOf(
    em,
    sql<{ id: string; projectId: string }>`
      with told as (
          select 1 as turn, v.told_at as since, t.id, t.project_id from phase_visits v join tickets t on t.id = v.ticket_id
          where v.told_at is not null and ${mayAdvance} order by v.told_at, v.id limit ${limit}),
        due as (
          select 2 as turn, v.look_again_at as since, t.id, t.project_id from phase_visits v join tickets t on t.id = v.ticket_id
          where v.told_at is null and v.look_again_at <= statement_timestamp() and ${mayAdvance} order by v.look_again_at, v.id limit ${limit})
      select id, project_id from (select * from told union all select * from due) found order by turn, since, id limit ${limit}`,
  );

/** One look at a visit. */
export interface Look {
  readonly visitId: string;
  /** When its workflow had last been told of something as the look began: another time says that more was added. */
  readonly toldAt: string | null;
  readonly begunAt: string;
}

/** Begins to look at a visit. Undefined where it has open tasks: when they were added the workflow was told. */
export const findLook = (em: EntityManager, visitId: string): Promise<Look | undefined> =>
  findRow(
    em,
    sql<Look>`select id as visit_id, told_at::text as told_at, clock_timestamp()::text as begun_at from phase_visits where id = ${visitId}
        and not exists (select 1 from tasks where visit_id = ${visitId} and state in ('blocked', 'ready', 'running'))`,
  );

/**
 * Leaves a ticket alone that has nowhere to go in this visit, until so much time has passed or an approval that it waits for has
 * expired, unless something has been added since the look began. What had expired by then it has seen.
 */
export const postponeTicket = (em: EntityManager, { visitId, toldAt, begunAt }: Look, delayMs: number): Promise<unknown[]> =>
  rowsOf(
    em,
    sql`update phase_visits v set told_at = null, look_again_at = least(clock_timestamp() + ${delayMs} * interval '1 millisecond',
          (select min(expires_at) from approvals where visit_id = v.id and state = 'waiting' and expires_at > ${begunAt}::timestamptz))
        where v.id = ${visitId} and v.left_at is null and v.told_at is not distinct from ${toldAt}::timestamptz`,
  );

/**
 * Tells the workflows of tickets that move by themselves, whoever hears of it. It waits for nobody: who adds to a visit holds it
 * already. Of tasks that end in a visit that another holds it was told when they were added.
 */
export const tellWorkflows = async (em: EntityManager, ids: readonly string[]): Promise<void> => {
  if (ids.length === 0) return;
  await rowsOf(
    em,
    sql`update phase_visits set told_at = clock_timestamp() where id in (
          select v.id from tickets t join phase_visits v on v.id = t.visit_id
          where t.id = any(${ids}::uuid[]) and t.automatic and t.state = 'open' order by v.id for no key update of v skip locked)`,
  );
};

/** Says of a ticket why its workflow does not move it, or that nothing hinders it. False where it has moved meanwhile, or says so already. */
export const writeHindrance = async (em: EntityManager, { id, visitId }: HeldTicket, reason: string | null): Promise<boolean> =>
  (
    await rowsOf(
      em,
      sql`update tickets set blocked_reason = ${reason}, version = version + 1, updated_at = clock_timestamp()
        where id = ${id} and visit_id = ${visitId} and state = 'open' and blocked_reason is distinct from ${reason} returning id`,
    )
  ).length > 0;

export const hasOpenTasks = async (em: EntityManager, visitId: string): Promise<boolean> =>
  (await rowsOf(em, sql`select 1 from tasks where visit_id = ${visitId} and state in ('blocked', 'ready', 'running') limit 1`)).length > 0;
