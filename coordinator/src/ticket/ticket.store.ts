import { CoordinatorError, type Priority, type Ticket } from '@baton/protocol';
import { LockMode } from '@mikro-orm/core';
import { sql } from 'kysely';
import type { EntityManager } from '../db/orm.ts';
import { rowsOf } from '../db/rows.ts';
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

export async function listTickets(
  em: EntityManager,
  { projectId, phase, states, priorities, workflow, title, after, limit }: TicketQuery,
): Promise<TicketRow[]> {
  const versions = workflow === undefined ? undefined : await em.find(WorkflowEntity, { projectId, name: workflow }, { fields: ['id'] });
  return em.find(
    TicketEntity,
    {
      projectId,
      ...(phase !== undefined && { phase }),
      ...(states !== undefined && { state: [...states] }),
      ...(priorities !== undefined && { priority: [...priorities] }),
      ...(versions !== undefined && { workflowId: versions.map(({ id }) => id) }),
      ...(title !== undefined && { title: { $ilike: `%${title.replaceAll(/[\\%_]/g, String.raw`\$&`)}%` } }),
      ...(after !== undefined && { id: { $lt: after } }),
    },
    { orderBy: { id: 'desc' }, limit },
  );
}

/**
 * Tickets that their workflow may move: in an automatic phase, with no task open. Those that could not be moved are passed over
 * for a while, unless they are among the `changed`, which come first.
 */
export const listTicketsToAdvance = (
  em: EntityManager,
  { changed, limit }: { readonly changed: readonly string[]; readonly limit: number },
): Promise<{ id: string; projectId: string }[]> =>
  rowsOf(
    em,
    sql<{ id: string; projectId: string }>`select t.id, t.project_id from tickets t join phase_visits v on v.id = t.visit_id
        where t.state = 'open' and t.automatic and (v.look_again_at is null or v.look_again_at <= clock_timestamp() or t.id = any(${changed}::uuid[]))
          and not exists (select 1 from tasks where visit_id = t.visit_id and state in ('blocked', 'ready', 'running'))
        order by t.id = any(${changed}::uuid[]) desc, t.id limit ${limit}`,
  );

/** Passes over a ticket that has nowhere to go in this visit, until something changes or so much time has passed. */
export const postponeTicket = (em: EntityManager, visitId: string, delayMs: number): Promise<unknown[]> =>
  rowsOf(em, sql`update phase_visits set look_again_at = clock_timestamp() + ${delayMs} * interval '1 millisecond' where id = ${visitId}`);

/** Says of a ticket why its workflow does not move it. False where it has moved meanwhile, or says so already. */
export const writeHindrance = async (em: EntityManager, { id, visitId }: HeldTicket, reason: string): Promise<boolean> =>
  (
    await rowsOf(
      em,
      sql`update tickets set blocked_reason = ${reason}, version = version + 1, updated_at = clock_timestamp()
        where id = ${id} and visit_id = ${visitId} and state = 'open' and blocked_reason is distinct from ${reason} returning id`,
    )
  ).length > 0;

export const hasOpenTasks = async (em: EntityManager, visitId: string): Promise<boolean> =>
  (await rowsOf(em, sql`select 1 from tasks where visit_id = ${visitId} and state in ('blocked', 'ready', 'running') limit 1`)).length > 0;
