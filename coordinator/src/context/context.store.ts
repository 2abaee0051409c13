import type { ContextItem, ContextKind, NewContextItem } from '@baton/protocol';
import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import type { Origin } from '../artifact/artifact.service.ts';
import type { EntityManager } from '../db/orm.ts';
import { rowsOf } from '../db/rows.ts';
import { ContextItemEntity, type ContextItemRow } from './context-item.entity.ts';

export const toContextItem = (row: ContextItemRow): ContextItem => ({
  id: row.id,
  citation: `c:${row.number}`,
  ticketId: row.ticketId,
  phase: row.phase,
  visit: row.visitNumber,
  kind: row.kind,
  text: row.text,
  references: row.refs,
  pinned: row.pinned,
  author: row.author,
  createdAt: row.createdAt.toISOString(),
  ...(typeof row.rationale === 'string' && { rationale: row.rationale }),
  ...(row.data !== null && row.data !== undefined && { data: row.data }),
  ...(typeof row.taskId === 'string' && { taskId: row.taskId }),
  ...(typeof row.attempt === 'number' && { attempt: row.attempt }),
});

export interface ItemOf {
  readonly origin: Origin;
  readonly item: NewContextItem;
}

/**
 * Inserts items of many origins, numbered on from the last of each ticket. What a visit holds already, in the same kind and
 * words, is passed over. The callers hold the rows of the visits.
 * @returns the ids of those that are new
 */
export async function insertItems(em: EntityManager, projectId: string, items: readonly ItemOf[]): Promise<string[]> {
  const rows = items.map(({ origin, item }, index) => ({
    ...origin,
    ...item,
    id: uuidv7(),
    position: index + 1,
  }));
  const inserted = await rowsOf(
    em,
    sql<{ id: string }>`insert into context_items
          (id, project_id, ticket_id, visit_id, phase, visit_number, number, kind, text, rationale, data, refs, pinned, author, task_id, attempt)
        select x.id, ${projectId}::uuid, x."ticketId", x."visitId", x.phase, x."visitNumber",
          (select coalesce(max(number), 0) from context_items c where c.ticket_id = x."ticketId") + row_number() over (partition by x."ticketId" order by x.position),
          x.kind, x.text, x.rationale, x.data, x."references", x.pinned, x.author, x."taskId", x.attempt
        from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb)
          as x(id uuid, position int, "ticketId" uuid, "visitId" uuid, phase text, "visitNumber" int, kind text, text text, rationale text, data jsonb,
            "references" jsonb, pinned boolean, author text, "taskId" uuid, attempt int)
        order by x.position
        on conflict (visit_id, kind, md5(text)) do nothing returning id`,
  );
  return inserted.map(({ id }) => id);
}

export const findItems = (em: EntityManager, ids: readonly string[]): Promise<ContextItemRow[]> =>
  em.find(ContextItemEntity, { id: [...ids] }, { orderBy: { number: 'asc' } });

export const findSameItem = (
  em: EntityManager,
  visitId: string,
  { kind, text }: Pick<NewContextItem, 'kind' | 'text'>,
): Promise<ContextItemRow> => em.findOneOrFail(ContextItemEntity, { visitId, kind, text });

export const listVisitItems = (em: EntityManager, visitId: string): Promise<ContextItemRow[]> =>
  em.find(ContextItemEntity, { visitId }, { orderBy: { number: 'asc' } });

export interface ContextQuery {
  readonly ticketId: string;
  readonly phase?: string | undefined;
  readonly kinds?: readonly ContextKind[] | undefined;
  readonly after?: string | undefined;
  readonly limit: number;
}

export async function listItems(
  em: EntityManager,
  { ticketId, phase, kinds, after, limit }: ContextQuery,
): Promise<{ items: ContextItem[]; next?: string }> {
  const rows = await em.find(
    ContextItemEntity,
    {
      ticketId,
      ...(phase !== undefined && { phase }),
      ...(kinds !== undefined && { kind: [...kinds] }),
      ...(after !== undefined && { number: { $gt: Number(after.replace('c:', '')) } }),
    },
    { orderBy: { number: 'asc' }, limit: limit + 1 },
  );
  const page = rows.slice(0, limit).map(toContextItem);
  const last = page.at(-1);
  return { items: page, ...(rows.length > limit && last !== undefined && { next: last.citation }) };
}

/** What the completed tasks of a visit said of themselves, in the order of submission, and how many there were. */
export async function listSummaries(em: EntityManager, visitId: string): Promise<{ summaries: string[]; tasksCompleted: number }> {
  const rows = await rowsOf(
    em,
    sql<{ summary: string | null }>`select summary from tasks where visit_id = ${visitId} and state = 'completed' order by id`,
  );
  return { tasksCompleted: rows.length, summaries: [...new Set(rows.flatMap(({ summary }) => (summary === null ? [] : [summary])))] };
}

export async function findKeptSummary(em: EntityManager, digest: string): Promise<string | undefined> {
  const [row] = await rowsOf(em, sql<{ text: string }>`select text from context_summaries where digest = ${digest}`);
  return row?.text;
}

export const keepSummary = (em: EntityManager, digest: string, text: string): Promise<unknown[]> =>
  rowsOf(em, sql`insert into context_summaries (digest, text) values (${digest}, ${text}) on conflict do nothing`);
