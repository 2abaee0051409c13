import { sql } from 'kysely';
import type { EntityManager } from '../db/orm.ts';
import { findRow, rowsOf } from '../db/rows.ts';

/** A visit, without what was stored when it was left. */
export interface VisitFacts {
  readonly id: string;
  readonly phase: string;
  readonly number: number;
  readonly stored: boolean;
  readonly tasksCompleted: number;
}

export const listVisitFacts = (em: EntityManager, ticketId: string): Promise<VisitFacts[]> =>
  rowsOf(
    em,
    sql<VisitFacts>`select v.id, v.phase, v.number, v.context is not null as stored,
          (select count(*)::int from tasks t where t.visit_id = v.id and t.state = 'completed') as tasks_completed
        from phase_visits v where v.ticket_id = ${ticketId} order by v.number`,
  );

/** The number of the newest event of a ticket; 0 before the first. */
export async function getLastSeqOfTicket(em: EntityManager, ticketId: string): Promise<number> {
  const row = await findRow(em, sql<{ seq: string | number | null }>`select max(seq) as seq from events where ticket_id = ${ticketId}`);
  return Number(row?.seq ?? 0);
}

export interface Changes {
  /** The citations of what came or was pinned. */
  readonly came: ReadonlySet<string>;
  /** What no longer holds, and what took its place. */
  readonly withdrawn: readonly { readonly citation: string; readonly by: string | undefined }[];
}

/** What has happened to the items of a ticket after an event. */
export async function listChanges(em: EntityManager, ticketId: string, after: number): Promise<Changes> {
  const rows = await rowsOf(
    em,
    sql<{ name: string; citation: string | null; citations: string[] | null; by: string | null; pinned: boolean | null }>`
        select name, data->>'citation' as citation, data->'citations' as citations, data->>'by' as by, (data->>'pinned')::boolean as pinned
        from events where ticket_id = ${ticketId} and seq > ${after}
          and name in ('context.noted', 'context.recorded', 'context.superseded', 'context.pinned') order by seq`,
  );
  const came = new Set<string>();
  const withdrawn = new Map<string, string | undefined>();
  for (const { name, citation, citations, by, pinned } of rows) {
    const all = citation === null ? (citations ?? []) : [citation];
    if (name === 'context.superseded') for (const each of all) withdrawn.set(each, by ?? undefined);
    else if (name !== 'context.pinned' || pinned === true) for (const each of all) came.add(each);
  }
  // What came and went meanwhile the reader has never seen.
  return { came, withdrawn: [...withdrawn].filter(([citation]) => !came.has(citation)).map(([citation, by]) => ({ citation, by })) };
}

/** The number of the event that told of an item; undefined where there is no such item. */
export async function findNotedSeq(em: EntityManager, ticketId: string, citation: string): Promise<number | undefined> {
  const row = await findRow(
    em,
    sql<{ seq: string | number }>`select seq from events where ticket_id = ${ticketId} and name in ('context.noted', 'context.recorded')
          and (data->>'citation' = ${citation} or data->'citations' @> ${JSON.stringify([citation])}::jsonb) order by seq limit 1`,
  );
  return row && Number(row.seq);
}
