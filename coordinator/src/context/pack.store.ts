import { sql } from 'kysely';
import type { EntityManager } from '../db/orm.ts';
import { findRow, rowsOf } from '../db/rows.ts';

export interface VisitFacts {
  readonly id: string;
  readonly phase: string;
  readonly number: number;
  /** It was left: nothing is added to it. */
  readonly stored: boolean;
  readonly tasksCompleted: number;
}

export const listVisitFacts = (em: EntityManager, ticketId: string): Promise<VisitFacts[]> =>
  rowsOf(
    em,
    sql<VisitFacts>`select v.id, v.phase, v.number, v.left_at is not null as stored,
          (select count(*)::int from tasks t where t.visit_id = v.id and t.state = 'completed') as tasks_completed
        from phase_visits v where v.ticket_id = ${ticketId} order by v.number`,
  );

/** The number of the newest event of a ticket; 0 before the first. */
export async function getLastSeqOfTicket(em: EntityManager, ticketId: string): Promise<number> {
  const row = await findRow(em, sql<{ seq: string | number | null }>`select max(seq) as seq from events where ticket_id = ${ticketId}`);
  return Number(row?.seq ?? 0);
}

// As the index `events_of_context` has it.
const ofContext = sql`name in ('context.noted', 'context.recorded', 'context.superseded', 'context.pinned')`;

/** The number of the newest event of the items of a ticket; 0 before the first. */
export async function getLastSeqOfItems(em: EntityManager, ticketId: string): Promise<number> {
  const row = await findRow(
    em,
    sql<{ seq: string | number | null }>`select max(seq) as seq from events where ticket_id = ${ticketId} and ${ofContext}`,
  );
  return Number(row?.seq ?? 0);
}

export interface ItemEvent {
  readonly name: string;
  readonly citations: readonly string[];
  readonly by: string | undefined;
  readonly pinned: boolean;
}

/** What has happened to the items of a ticket after an event, oldest first. */
export async function listItemEvents(em: EntityManager, ticketId: string, after: number): Promise<ItemEvent[]> {
  const rows = await rowsOf(
    em,
    sql<{ name: string; citation: string | null; citations: string[] | null; by: string | null; pinned: boolean | null }>`
        select name, data->>'citation' as citation, data->'citations' as citations, data->>'by' as by, (data->>'pinned')::boolean as pinned
        from events where ticket_id = ${ticketId} and seq > ${after} and ${ofContext} order by seq`,
  );
  return rows.map(({ name, citation, citations, by, pinned }) => ({
    name,
    citations: citation === null ? (citations ?? []) : [citation],
    by: by ?? undefined,
    pinned: pinned === true,
  }));
}

/** How many visits of phases a ticket has begun after an event. */
export async function countVisitsBegun(em: EntityManager, ticketId: string, after: number): Promise<number> {
  const row = await findRow(
    em,
    sql<{ begun: number }>`select count(*)::int as begun from events
        where ticket_id = ${ticketId} and seq > ${after} and name in ('ticket.created', 'ticket.transitioned')`,
  );
  return row?.begun ?? 0;
}

/** Which of these items had been noted when an event happened. */
export async function findNotedUntil(
  em: EntityManager,
  { ticketId, until }: { readonly ticketId: string; readonly until: number },
  citations: readonly string[],
): Promise<Set<string>> {
  if (citations.length === 0) return new Set();
  const rows = await rowsOf(
    em,
    sql<{ citation: string }>`select x.citation from jsonb_array_elements_text(${JSON.stringify(citations)}::jsonb) as x(citation)
        where exists (select 1 from events where ticket_id = ${ticketId} and seq <= ${until} and ${ofContext}
          and name in ('context.noted', 'context.recorded') and (data->>'citation' = x.citation or data->'citations' @> to_jsonb(array[x.citation])))`,
  );
  return new Set(rows.map(({ citation }) => citation));
}

/** The number of the event that told of an item first; undefined where there is no such item. */
export async function findNotedSeq(em: EntityManager, ticketId: string, citation: string): Promise<number | undefined> {
  const row = await findRow(
    em,
    sql<{
      seq: string | number;
    }>`select seq from events where ticket_id = ${ticketId} and ${ofContext} and name in ('context.noted', 'context.recorded')
          and (data->>'citation' = ${citation} or data->'citations' @> ${JSON.stringify([citation])}::jsonb) order by seq limit 1`,
  );
  return row && Number(row.seq);
}
