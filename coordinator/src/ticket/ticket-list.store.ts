import type { Priority, Ticket } from '@baton/protocol';
import { sql } from 'kysely';
import type { EntityManager } from '../db/orm.ts';
import { firstIds, hasMore, listed, type OneOf, pageOf } from '../db/page.ts';
import { rowsOf } from '../db/rows.ts';
import { WorkflowEntity } from '../workflow/workflow.entity.ts';
import { TicketEntity } from './ticket.entity.ts';
import { toTicket } from './ticket.store.ts';

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

/**
 * A page of tickets, newest first. For each filter there is an index, but not for a part of the title: that reads what the others leave. Of
 * several filters one leads, and the others read what it leaves: where each has many tickets and all have few, that is most of the many.
 */
export async function listTickets(em: EntityManager, query: TicketQuery): Promise<{ tickets: Ticket[]; next?: string }> {
  const ids = firstIds({ table: sql`tickets`, ...filtersOf(query), order: 'desc', limit: query.limit });
  const ordered = sql`select id, row_number() over (order by id desc) as place,
        octet_length(metadata::text) + octet_length(coalesce(description, '')) + octet_length(coalesce(blocked_reason, '')) as bytes
      from tickets where id = any(array(${ids})) order by id desc`;
  const page = await rowsOf(em, pageOf(ordered, query.limit));
  if (page.length === 0) return { tickets: [] };
  const tickets = await em.find(TicketEntity, { id: page.map(({ id }) => id) }, { orderBy: { id: 'desc' } });
  const workflows = await em.find(WorkflowEntity, { id: [...new Set(tickets.map(({ workflowId }) => workflowId))] });
  const byId = new Map(workflows.map((each) => [each.id, each]));
  const last = tickets.at(-1);
  return {
    tickets: tickets.map((row) => toTicket(row, byId.get(row.workflowId) ?? { name: 'unknown', version: 0 })),
    ...(hasMore(page) && last !== undefined && { next: last.id }),
  };
}

function filtersOf({ projectId, phase, states, priorities, workflow, title, after }: TicketQuery) {
  const conditions = [sql`project_id = ${projectId}`];
  if (phase !== undefined) conditions.push(sql`phase = ${phase}`);
  if (title !== undefined) conditions.push(sql`title ilike ${`%${title.replaceAll(/[\\%_]/g, String.raw`\$&`)}%`}`);
  if (after !== undefined) conditions.push(sql`id < ${after}`);
  // A workflow is likely to have the fewest of the tickets, and a priority the most.
  const oneOf: OneOf[] = [];
  if (workflow !== undefined) {
    const versions = sql`array(select id from workflows where project_id = ${projectId} and name = ${workflow})`;
    oneOf.push({ column: sql`workflow_id`, values: versions });
  }
  if (states !== undefined) oneOf.push({ column: sql`state`, values: listed(states) });
  if (priorities !== undefined) oneOf.push({ column: sql`priority`, values: listed(priorities) });
  return { conditions, oneOf };
}
