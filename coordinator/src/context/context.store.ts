import {
  type ContextItem,
  type ContextKind,
  type ContextReference,
  type ContextSource,
  CoordinatorError,
  type JsonValue,
  type NewContextItem,
} from '@baton/protocol';
import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import type { Origin } from '../artifact/artifact.service.ts';
import type { EntityManager } from '../db/orm.ts';
import { findRow, rowsOf, toTimestamp } from '../db/rows.ts';

interface ItemRow {
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
}

const columns = sql`c.id, c.number, c.ticket_id, c.phase, c.visit_number, c.kind, c.text, c.rationale, c.data, c.refs, c.pinned, c.author, c.task_id, c.attempt,
  c.created_at, c.source, c.superseded_at, c.superseded_reason, (select b.number from context_items b where b.id = c.superseded_by) as superseded_by_number`;

const toContextItem = (row: ItemRow): ContextItem => ({
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
});

const toCitation = (number: number) => `c:${number}`;
const toNumber = (citation: string) => Number(citation.slice('c:'.length));

/** An item, and where it comes from. */
export interface ItemOf {
  readonly origin: Origin;
  readonly item: NewContextItem;
  /** `said` unless given. */
  readonly source?: ContextSource;
  /** What a recorded item is about: in its phase the newest about a topic takes the place of those before. */
  readonly topic?: string;
}

/**
 * Inserts items of many origins, numbered on from the last of each ticket. What a visit holds already, in the same kind and
 * words, is passed over. The callers hold the rows of the visits.
 * @returns those that are new, in order
 */
export async function insertItems(em: EntityManager, projectId: string, items: readonly ItemOf[]): Promise<ContextItem[]> {
  const rows = items.map(({ origin, item, source = 'said', topic = null }, index) => ({
    ...origin,
    ...item,
    source,
    topic,
    id: uuidv7(),
    position: index + 1,
  }));
  const inserted = await rowsOf(
    em,
    sql<ItemRow>`insert into context_items as c
          (id, project_id, ticket_id, visit_id, phase, visit_number, number, kind, text, rationale, data, refs, pinned, author, task_id, attempt, source, topic)
        select x.id, ${projectId}::uuid, x."ticketId", x."visitId", x.phase, x."visitNumber",
          (select coalesce(max(number), 0) from context_items c where c.ticket_id = x."ticketId") + row_number() over (partition by x."ticketId" order by x.position),
          x.kind, x.text, x.rationale, x.data, x."references", x.pinned, x.author, x."taskId", x.attempt, x.source, x.topic
        from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb)
          as x(id uuid, position int, "ticketId" uuid, "visitId" uuid, phase text, "visitNumber" int, kind text, text text, rationale text, data jsonb,
            "references" jsonb, pinned boolean, author text, "taskId" uuid, attempt int, source text, topic text)
        order by x.position
        on conflict (visit_id, kind, md5(text)) where superseded_at is null do nothing returning ${columns}`,
  );
  return inserted.map(toContextItem);
}

/** The item that says this in a visit. */
export async function findSameItem(
  em: EntityManager,
  visitId: string,
  { kind, text }: Pick<NewContextItem, 'kind' | 'text'>,
): Promise<ContextItem> {
  const row = await findRow(
    em,
    sql<ItemRow>`select ${columns} from context_items c where c.visit_id = ${visitId} and c.kind = ${kind} and c.text = ${text} and c.superseded_at is null`,
  );
  if (row === undefined) throw new Error('An item was noted and is not there.');
  return toContextItem(row);
}

/** @throws CoordinatorError `context_item_not_found` */
export async function getItem(em: EntityManager, ticketId: string, citation: string): Promise<ContextItem> {
  const [item] = await findItems(em, ticketId, [citation]);
  if (item === undefined) throw new CoordinatorError('context_item_not_found', { ticketId, citation });
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

/** What still holds of what was noted in these visits, oldest first. */
export async function listHolding(em: EntityManager, visitIds: readonly string[]): Promise<ContextItem[]> {
  const rows = await rowsOf(
    em,
    sql<ItemRow>`select ${columns} from context_items c
        where c.ticket_id = (select ticket_id from phase_visits where id = ${visitIds[0] ?? null}::uuid)
          and c.visit_id = any(${visitIds}::uuid[]) and c.superseded_at is null order by c.number`,
  );
  return rows.map(toContextItem);
}

/** Gives up a statement wherever the ticket holds it. Returns the citations. */
export async function supersedeStatement(
  em: EntityManager,
  { ticketId, kind, text }: Pick<ContextItem, 'ticketId' | 'kind' | 'text'>,
  { by, reason }: { readonly by: string; readonly reason: string },
): Promise<string[]> {
  const rows = await rowsOf(
    em,
    sql<{ number: number }>`update context_items set superseded_at = clock_timestamp(), superseded_reason = ${reason}, superseded_by = ${by}
        where ticket_id = ${ticketId} and kind = ${kind} and text = ${text} and id <> ${by} and superseded_at is null returning number`,
  );
  return rows.map(({ number }) => toCitation(number));
}

/** Pins a statement wherever the ticket holds it. Returns the citations of those that were not so before. */
export async function pinStatement(
  em: EntityManager,
  { ticketId, kind, text }: Pick<ContextItem, 'ticketId' | 'kind' | 'text'>,
  pinned: boolean,
): Promise<string[]> {
  const rows = await rowsOf(
    em,
    sql<{ number: number }>`update context_items set pinned = ${pinned}
        where ticket_id = ${ticketId} and kind = ${kind} and text = ${text} and superseded_at is null and pinned <> ${pinned} returning number`,
  );
  return rows.map(({ number }) => toCitation(number));
}

export interface Topic {
  readonly ticketId: string;
  readonly phase: string;
  readonly topic: string;
  /** What holds about it now. */
  readonly texts: readonly string[];
}

export interface GivenUp {
  readonly ticketId: string;
  readonly phase: string;
  readonly citation: string;
  readonly by: string | undefined;
}

/** Gives up what was recorded about topics before and is not among what holds now. */
export async function supersedeTopics(em: EntityManager, topics: readonly Topic[], reason: string): Promise<GivenUp[]> {
  if (topics.length === 0) return [];
  const rows = await rowsOf(
    em,
    sql<{ ticketId: string; phase: string; number: number; by: number | null }>`
        update context_items c set superseded_at = clock_timestamp(), superseded_reason = ${reason}, superseded_by = n.id
        from jsonb_to_recordset(${JSON.stringify(topics)}::jsonb) as x("ticketId" uuid, phase text, topic text, texts jsonb)
          left join lateral (
            select i.id, i.number from context_items i
            where i.ticket_id = x."ticketId" and i.phase = x.phase and i.topic = x.topic and i.superseded_at is null and jsonb_exists(x.texts, i.text)
            order by i.number desc limit 1
          ) n on true
        where c.ticket_id = x."ticketId" and c.phase = x.phase and c.topic = x.topic and c.superseded_at is null and not jsonb_exists(x.texts, c.text)
        returning c.ticket_id, c.phase, c.number, n.number as by`,
  );
  return rows.map(({ ticketId, phase, number, by }) => ({
    ticketId,
    phase,
    citation: toCitation(number),
    by: by === null ? undefined : toCitation(by),
  }));
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
}

export async function listItems(em: EntityManager, query: ContextQuery): Promise<{ items: ContextItem[]; next?: string }> {
  const { ticketId, phase, kinds, after, limit, author, taskId, pinned, superseded, sources } = query;
  const conditions = [sql`c.ticket_id = ${ticketId}`];
  if (phase !== undefined) conditions.push(sql`c.phase = ${phase}`);
  if (kinds !== undefined) conditions.push(sql`c.kind = any(${kinds}::text[])`);
  if (after !== undefined) conditions.push(sql`c.number > ${toNumber(after)}`);
  if (author !== undefined) conditions.push(sql`c.author = ${author}`);
  if (taskId !== undefined) conditions.push(sql`c.task_id = ${taskId}`);
  if (pinned !== undefined) conditions.push(sql`c.pinned = ${pinned}`);
  if (superseded !== undefined) conditions.push(superseded ? sql`c.superseded_at is not null` : sql`c.superseded_at is null`);
  if (sources !== undefined) conditions.push(sql`c.source = any(${sources}::text[])`);
  const rows = await rowsOf(
    em,
    sql<ItemRow>`select ${columns} from context_items c where ${sql.join(conditions, sql` and `)} order by c.number limit ${limit + 1}`,
  );
  const page = rows.slice(0, limit).map(toContextItem);
  const last = page.at(-1);
  return { items: page, ...(rows.length > limit && last !== undefined && { next: last.citation }) };
}
