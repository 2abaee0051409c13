import { CoordinatorError, type Priority, type Ticket } from '@baton/protocol';
import { LockMode } from '@mikro-orm/core';
import { sql } from 'kysely';
import type { EntityManager } from '../db/orm.ts';
import { hasMore, pageOf } from '../db/page.ts';
import { findRow, rowsOf } from '../db/rows.ts';
import { WorkflowEntity, type WorkflowRow } from '../workflow/workflow.entity.ts';
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

export interface TicketQuery {
  readonly projectId: string;
  readonly phase?: string | undefined;
  readonly states?: readonly Ticket['state'][] | undefined;
  readonly priorities?: readonly Priority[] | undefined;
  /** By name, in any version. */
  readonly workflow?: string | undefined;
  /** A part of the title. */
  readonly title?: string | undefined;
  readonly after?: string | undefined;
  readonly limit: number;
}

/** A page of tickets, newest first. */
export async function listTickets(
  em: EntityManager,
  { projectId, phase, states, priorities, workflow, title, after, limit }: TicketQuery,
): Promise<{ tickets: Ticket[]; next?: string }> {
  const conditions = [sql`project_id = ${projectId}`];
  if (phase !== undefined) conditions.push(sql`phase = ${phase}`);
  if (states !== undefined) conditions.push(sql`state = any(${[...states]}::text[])`);
  if (priorities !== undefined) conditions.push(sql`priority = any(${[...priorities]}::text[])`);
  if (workflow !== undefined)
    conditions.push(sql`workflow_id in (select id from workflows where project_id = ${projectId} and name = ${workflow})`);
  if (title !== undefined) conditions.push(sql`title ilike ${`%${title.replaceAll(/[\\%_]/g, String.raw`\$&`)}%`}`);
  if (after !== undefined) conditions.push(sql`id < ${after}`);
  const ordered = sql`select id, row_number() over (order by id desc) as place,
        octet_length(metadata::text) + octet_length(coalesce(description, '')) + octet_length(coalesce(blocked_reason, '')) as bytes
      from tickets where ${sql.join(conditions, sql` and `)} order by id desc`;
  const page = await rowsOf(em, pageOf(ordered, limit));
  const tickets = await em.find(TicketEntity, { id: page.map(({ id }) => id) }, { orderBy: { id: 'desc' } });
  const workflows = await em.find(WorkflowEntity, { id: [...new Set(tickets.map(({ workflowId }) => workflowId))] });
  const byId = new Map(workflows.map((each) => [each.id, each]));
  const last = tickets.at(-1);
  return {
    tickets: tickets.map((row) => toTicket(row, byId.get(row.workflowId) ?? { name: 'unknown', version: 0 })),
    ...(hasMore(page) && last !== undefined && { next: last.id }),
  };
}

/**
 * Tickets that their workflow may move: in an automatic phase, with no task open, those first that have waited longest. Those that
 * could not be moved are passed over for a while, and those whose gate a coordinator is judging.
 */
export const listTicketsToAdvance = (em: EntityManager, limit: number): Promise<{ id: string; projectId: string }[]> =>
  rowsOf(
    em,
    sql<{ id: string; projectId: string }>`select t.id, t.project_id from tickets t join phase_visits v on v.id = t.visit_id
        where t.state = 'open' and t.automatic
          and coalesce(v.look_again_at <= clock_timestamp(), true) and coalesce(v.judging_until <= clock_timestamp(), true)
          and not exists (select 1 from tasks where visit_id = t.visit_id and state in ('blocked', 'ready', 'running'))
        order by v.look_again_at nulls first, t.id limit ${limit}`,
  );

/** One look at a visit, and when it was due as the look began: another time says that something has been added since. */
export interface Look {
  readonly visitId: string;
  readonly dueAt: string | null;
}

/** Begins to look at a visit. Undefined where it has open tasks, whose end makes it due. */
export const findLook = (em: EntityManager, visitId: string): Promise<Look | undefined> =>
  findRow(
    em,
    sql<Look>`select id as visit_id, look_again_at::text as due_at from phase_visits where id = ${visitId}
        and not exists (select 1 from tasks where visit_id = ${visitId} and state in ('blocked', 'ready', 'running'))`,
  );

/** Passes over a ticket that has nowhere to go in this visit, until so much time has passed or something is added, unless it has been. */
export const postponeTicket = (em: EntityManager, { visitId, dueAt }: Look, delayMs: number): Promise<unknown[]> =>
  rowsOf(
    em,
    sql`update phase_visits set look_again_at = clock_timestamp() + ${delayMs} * interval '1 millisecond'
        where id = ${visitId} and look_again_at is not distinct from ${dueAt}::timestamptz`,
  );

/**
 * Has the visits of tickets that move by themselves looked at, whoever hears of it. It waits for nobody: who adds to a visit holds it
 * already, and another that is held is looked at when it is due.
 */
export const makeTicketsDue = async (em: EntityManager, ids: readonly string[]): Promise<void> => {
  if (ids.length === 0) return;
  await rowsOf(
    em,
    sql`update phase_visits set look_again_at = clock_timestamp() where id in (
          select v.id from tickets t join phase_visits v on v.id = t.visit_id
          where t.id = any(${ids}::uuid[]) and t.automatic order by v.id for no key update of v skip locked)`,
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
