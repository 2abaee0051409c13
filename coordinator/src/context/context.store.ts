import {
  type ContextItem,
  type ContextKind,
  type ContextReference,
  type ContextSource,
  CoordinatorError,
  type JsonValue,
  type NewContextItem,
} from '@baton/protocol';
import { type RawBuilder, sql } from 'kysely';
import type { Origin } from '../artifact/artifact.service.ts';
import type { EntityManager } from '../db/orm.ts';
import { findRow, rowsOf, toTimestamp } from '../db/rows.ts';
import { toCitation, toNumber } from './citation.ts';
import { mayOperate } from './standing-rules.ts';

export interface ItemRow {
  readonly id: string;
  readonly number: number;
  readonly ticketId: string;
  readonly phase: string;
  readonly visitNumber: number;
  readonly kind: ContextKind;
  readonly text: string;
  readonly rationale: string | null;
  readonly data: JsonValue | null;
  readonly refs: ContextReference[];
  readonly pinned: boolean;
  readonly author: string;
  readonly taskId: string | null;
  readonly attempt: number | null;
  readonly createdAt: string;
  readonly source: ContextSource;
  readonly supersededAt: string | null;
  readonly supersededReason: string | null;
  readonly supersededByNumber: number | null;
  readonly byOperator: boolean;
}

export const columnsWith = (
  data: RawBuilder<unknown>,
) => sql`c.id, c.number, c.ticket_id, c.phase, c.visit_number, c.kind, c.text, c.rationale, ${data}, c.refs, c.pinned, c.author, c.task_id, c.attempt,
  c.created_at, c.source, c.by_operator, c.superseded_at, c.superseded_reason, (select b.number from context_items b where b.id = c.superseded_by) as superseded_by_number`;

const columns = columnsWith(sql`c.data`);

export const toContextItem = (row: ItemRow): ContextItem => ({
  id: row.id,
  citation: toCitation(row.number),
  ticketId: row.ticketId,
  phase: row.phase,
  visit: row.visitNumber,
  kind: row.kind,
  text: row.text,
  references: row.refs,
  pinned: row.pinned,
  author: row.author,
  createdAt: toTimestamp(row.createdAt),
  source: row.source,
  ...(row.rationale !== null && { rationale: row.rationale }),
  ...(row.data !== null && { data: row.data }),
  ...(row.taskId !== null && { taskId: row.taskId }),
  ...(row.attempt !== null && { attempt: row.attempt }),
  ...(row.supersededAt !== null && {
    superseded: {
      ...(row.supersededByNumber !== null && { by: toCitation(row.supersededByNumber) }),
      reason: row.supersededReason ?? '',
      at: toTimestamp(row.supersededAt),
    },
  }),
  ...(row.byOperator && { byOperator: true }),
});

/** An item, and where it comes from. */
export interface ItemOf {
  readonly origin: Origin;
  readonly item: NewContextItem;
  /** `said` unless given. */
  readonly source?: ContextSource;
  /** What a recorded item is about: in its phase the newest about a topic takes the place of those before. */
  readonly topic?: string;
  /** An attempt brings it at its end: where the ticket has given it up since the attempt began, it stays given up. */
  readonly isReturned?: boolean;
}

export interface IdentifiedItem extends ItemOf {
  readonly id: string;
}

/**
 * Inserts items of many origins, numbered on from the last of each ticket. What a visit holds already from the same source, in the same
 * kind and words, is passed over. What an attempt brings that was given up since it began is inserted as given up for the same reason,
 * unless it was said again since. No two of the items are the same. The callers hold the rows of the visits.
 * @returns those that are new, in order
 */
export async function insertItems(em: EntityManager, projectId: string, items: readonly IdentifiedItem[]): Promise<ContextItem[]> {
  const rows = items.map((each, index) => ({ ...toRow(each), position: index + 1 }));
  const inserted = await rowsOf(
    em,
    sql<ItemRow>`insert into context_items as c
          (id, project_id, ticket_id, visit_id, phase, visit_number, number, kind, text, rationale, data, refs, pinned, author, by_operator, task_id, attempt,
            source, topic, superseded_at, superseded_reason, superseded_by)
        select x.id, ${projectId}::uuid, x."ticketId", x."visitId", x.phase, x."visitNumber",
          (select coalesce(max(number), 0) from context_items c where c.ticket_id = x."ticketId") + row_number() over (partition by x."ticketId" order by x.position),
          x.kind, x.text, x.rationale, x.data, x."references", x.pinned, x.author, x."byOperator", x."taskId", x.attempt, x.source, x.topic,
          g.superseded_at, g.superseded_reason, g.superseded_by
        from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb)
          as x(id uuid, position int, "ticketId" uuid, "visitId" uuid, phase text, "visitNumber" int, kind text, text text, rationale text, data jsonb,
            "references" jsonb, pinned boolean, author text, "byOperator" boolean, "taskId" uuid, attempt int, source text, topic text,
            "isReturned" boolean)
          left join lateral (
            select s.superseded_at, s.superseded_reason, s.superseded_by from attempts n join context_items s on s.superseded_at > n.started_at
            where x."isReturned" and n.task_id = x."taskId" and n.number = x.attempt
              and s.ticket_id = x."ticketId" and s.kind = x.kind and s.source = x.source and s.text = x.text
              and not exists (select from context_items h
                where h.ticket_id = s.ticket_id and h.kind = s.kind and h.source = s.source and md5(h.text) = md5(s.text) and h.text = s.text and h.superseded_at is null)
            order by s.superseded_at desc limit 1
          ) g on true
        order by x.position
        on conflict (ticket_id, kind, source, md5(text), visit_id) where superseded_at is null do nothing returning ${columns}`,
  );
  return inserted.map(toContextItem);
}

const toRow = ({ id, origin, item, source = 'said', topic, isReturned = false }: IdentifiedItem) => ({
  id,
  ...origin,
  ...item,
  source,
  topic,
  isReturned,
  byOperator: mayOperate(origin),
});

/** What a visit holds from the same source, in the same kind and words as each of these, by the id of the one given. */
export async function findSameItems(em: EntityManager, items: readonly IdentifiedItem[]): Promise<Map<string, ContextItem>> {
  const rows = await rowsOf(
    em,
    sql<ItemRow & { again: string }>`select ${columns}, x.id as again
        from jsonb_to_recordset(${JSON.stringify(items.map(toRow))}::jsonb) as x(id uuid, "ticketId" uuid, "visitId" uuid, kind text, source text, text text)
          join context_items c on c.ticket_id = x."ticketId" and c.visit_id = x."visitId" and c.kind = x.kind and c.source = x.source and md5(c.text) = md5(x.text)
            and c.superseded_at is null`,
  );
  return new Map(rows.map(({ again, ...row }) => [again, toContextItem(row)]));
}

/**
 * Gives items what their repetitions have brought, and the author of the last. The callers hold the rows of the visits.
 * @returns those that have changed by it, in order
 */
export async function updateItems(em: EntityManager, items: readonly IdentifiedItem[]): Promise<ContextItem[]> {
  const updated = await rowsOf(
    em,
    sql<ItemRow>`update context_items c
        set rationale = x.rationale, data = x.data, refs = x."references", pinned = x.pinned, author = x.author,
          by_operator = c.by_operator or x."byOperator", task_id = x."taskId", attempt = x.attempt
        from jsonb_to_recordset(${JSON.stringify(items.map(toRow))}::jsonb)
          as x(id uuid, rationale text, data jsonb, "references" jsonb, pinned boolean, author text, "byOperator" boolean, "taskId" uuid, attempt int)
        where c.id = x.id and (c.rationale, c.data, c.refs, c.pinned, c.author, c.by_operator, c.task_id, c.attempt)
          is distinct from (x.rationale, x.data, x."references", x.pinned, x.author, c.by_operator or x."byOperator", x."taskId", x.attempt)
        returning ${columns}`,
  );
  return updated.map(toContextItem).toSorted((a, b) => toNumber(a.citation) - toNumber(b.citation));
}

/** What is said in these words in a visit: what holds, else the newest that was given up. */
export async function getSaidItem(
  em: EntityManager,
  { ticketId, visitId }: Pick<Origin, 'ticketId' | 'visitId'>,
  { kind, text }: Pick<NewContextItem, 'kind' | 'text'>,
): Promise<ContextItem> {
  const isSaid = sql`c.ticket_id = ${ticketId} and c.visit_id = ${visitId} and c.kind = ${kind} and c.source = 'said' and md5(c.text) = md5(${text})`;
  const row =
    (await findRow(em, sql<ItemRow>`select ${columns} from context_items c where ${isSaid} and c.superseded_at is null`)) ??
    (await findRow(
      em,
      sql<ItemRow>`select ${columns} from context_items c
          where ${isSaid} and c.superseded_at is not null order by c.number desc limit 1`,
    ));
  if (row === undefined) throw new Error('An item was noted and is not there.');
  return toContextItem(row);
}

/** @throws CoordinatorError `context_item_not_found` */
export async function getItem(em: EntityManager, ticketId: string, citation: string): Promise<ContextItem> {
  const [item] = await findItems(em, ticketId, [citation]);
  if (item === undefined) throw new CoordinatorError('context_item_not_found', { ticketId, citation, message: `There is no ${citation}.` });
  return item;
}

export async function findItems(em: EntityManager, ticketId: string, citations: readonly string[]): Promise<ContextItem[]> {
  const numbers = citations.map(toNumber);
  const rows = await rowsOf(
    em,
    sql<ItemRow>`select ${columns} from context_items c where c.ticket_id = ${ticketId} and c.number = any(${numbers}::int[]) order by c.number`,
  );
  return rows.map(toContextItem);
}

/** What an item has taken the place of. */
export async function listSuperseded(em: EntityManager, itemId: string, limit: number): Promise<ContextItem[]> {
  const rows = await rowsOf(
    em,
    sql<ItemRow>`select ${columns} from context_items c where c.ticket_id = (select ticket_id from context_items where id = ${itemId})
        and c.superseded_by = ${itemId} order by c.number limit ${limit}`,
  );
  return rows.map(toContextItem);
}

export interface ContextQuery {
  readonly ticketId: string;
  readonly phase?: string | undefined;
  readonly kinds?: readonly ContextKind[] | undefined;
  readonly after?: string | undefined;
  readonly limit: number;
  readonly author?: string | undefined;
  readonly taskId?: string | undefined;
  readonly pinned?: boolean | undefined;
  readonly superseded?: boolean | undefined;
  readonly sources?: readonly ContextSource[] | undefined;
  readonly citations?: readonly string[] | undefined;
}

/** A page ends before the limit where its items are long: an answer has a size that every client takes. Each item fits into one by far. */
const pageCharactersMax = 4_000_000;

export async function listItems(em: EntityManager, query: ContextQuery): Promise<{ items: ContextItem[]; next?: string }> {
  const { ticketId, phase, kinds, after, limit, author, taskId, pinned, superseded, sources, citations } = query;
  const conditions = [sql`c.ticket_id = ${ticketId}`];
  if (phase !== undefined) conditions.push(sql`c.phase = ${phase}`);
  if (kinds !== undefined) conditions.push(sql`c.kind = any(${kinds}::text[])`);
  if (after !== undefined) conditions.push(sql`c.number > ${toNumber(after)}`);
  if (author !== undefined) conditions.push(sql`c.author = ${author}`);
  if (taskId !== undefined) conditions.push(sql`c.task_id = ${taskId}`);
  if (pinned !== undefined) conditions.push(sql`c.pinned = ${pinned}`);
  if (superseded !== undefined) conditions.push(superseded ? sql`c.superseded_at is not null` : sql`c.superseded_at is null`);
  if (sources !== undefined) conditions.push(sql`c.source = any(${sources}::text[])`);
  if (citations !== undefined) conditions.push(sql`c.number = any(${citations.map(toNumber)}::int[])`);
  const rows = await rowsOf(
    em,
    sql<ItemRow & { found: number }>`select ${columns}, c.found from (
          select c.*, (count(*) over ())::int as found,
            sum(length(c.text) + coalesce(length(c.rationale), 0) + coalesce(length(c.data::text), 0) + length(c.refs::text)) over (order by c.number) as characters
          from (select * from context_items c where ${sql.join(conditions, sql` and `)} order by c.number limit ${limit + 1}) c
        ) c where c.characters <= ${pageCharactersMax} order by c.number`,
  );
  const page = rows.slice(0, limit).map(toContextItem);
  const last = page.at(-1);
  return { items: page, ...((rows[0]?.found ?? 0) > page.length && last !== undefined && { next: last.citation }) };
}
