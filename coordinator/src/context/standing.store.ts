import type { ContextItem } from '@baton/protocol';
import { sql } from 'kysely';
import type { EntityManager } from '../db/orm.ts';
import { findRow, rowsOf } from '../db/rows.ts';
import { toCitation, toNumber } from './citation.ts';

// Whether what was said still holds, and whether it is pinned. Both are of a statement, which is one source's, wherever the ticket has it.

type Statement = Pick<ContextItem, 'ticketId' | 'kind' | 'source' | 'text'>;

/** Wherever the ticket holds it: found by the digest of its text, which the index `context_items_once` has. */
const isOf = ({ ticketId, kind, source, text }: Statement) =>
  sql`ticket_id = ${ticketId} and kind = ${kind} and source = ${source} and md5(text) = md5(${text}) and text = ${text} and superseded_at is null`;

/** Whether a token that may operate has said a statement, pinned it or let it go. */
export async function isByOperator(em: EntityManager, statement: Statement): Promise<boolean> {
  return (await findRow(em, sql`select 1 from context_items where ${isOf(statement)} and by_operator limit 1`)) !== undefined;
}

export interface GivenUpStatement {
  /** Of each place where the ticket held it. */
  readonly citations: string[];
  /** In one of them at least. */
  readonly wasPinned: boolean;
}

/** Gives up a statement wherever the ticket holds it. */
export async function supersedeStatement(
  em: EntityManager,
  statement: Statement,
  { by, reason }: { readonly by: string; readonly reason: string },
): Promise<GivenUpStatement> {
  const rows = await rowsOf(
    em,
    sql<{
      number: number;
      pinned: boolean;
    }>`update context_items set superseded_at = clock_timestamp(), superseded_reason = ${reason}, superseded_by = ${by}
        where ${isOf(statement)} and id <> ${by} returning number, pinned`,
  );
  return { citations: rows.map(({ number }) => toCitation(number)), wasPinned: rows.some(({ pinned }) => pinned) };
}

/** What holds in the place of an item at last, be it by way of others; undefined where nothing does. */
export async function findHoldingSuccessor(em: EntityManager, ticketId: string, citation: string): Promise<string | undefined> {
  const row = await findRow(
    em,
    sql<{ number: number }>`with recursive line as (
          select c.id, c.number, c.superseded_by, c.superseded_at from context_items c where c.ticket_id = ${ticketId} and c.number = ${toNumber(citation)}
          union all
          select c.id, c.number, c.superseded_by, c.superseded_at from context_items c join line l on c.id = l.superseded_by
        )
        select number from line where superseded_at is null`,
  );
  return row && toCitation(row.number);
}

/**
 * Pins a statement, or lets it go, wherever the ticket holds it. That an operator does it is of what is recorded wherever it stands, and
 * of what is said where he has found it: elsewhere an agent may have given other reasons for the same words.
 * @returns the citations of those for which that is new
 */
export async function pinStatement(
  em: EntityManager,
  statement: Statement & Pick<ContextItem, 'id'>,
  { pinned, byOperator }: { readonly pinned: boolean; readonly byOperator: boolean },
): Promise<string[]> {
  const isOperators = sql`(by_operator or (${byOperator} and (source <> 'said' or id = ${statement.id})))`;
  const rows = await rowsOf(
    em,
    sql<{
      number: number;
    }>`update context_items set pinned = ${pinned}, by_operator = ${isOperators}
        where ${isOf(statement)} and (pinned <> ${pinned} or by_operator <> ${isOperators}) returning number`,
  );
  return rows.map(({ number }) => toCitation(number));
}

/** What is pinned in tickets, each statement once. */
export const listPinned = (em: EntityManager, ticketIds: readonly string[]): Promise<(Statement & Pick<ContextItem, 'phase'>)[]> =>
  rowsOf(
    em,
    sql<Statement & Pick<ContextItem, 'phase'>>`select distinct on (ticket_id, kind, source, text) ticket_id, kind, source, text, phase
        from context_items where ticket_id = any(${ticketIds}::uuid[]) and pinned and superseded_at is null order by ticket_id, kind, source, text, number`,
  );

export interface Topic {
  readonly ticketId: string;
  readonly phase: string;
  readonly topic: string;
  /** What holds about it now. */
  readonly texts: readonly string[];
  /** What was pinned is not given up; it is unless given. */
  readonly keepsPinned?: boolean;
}

export interface GivenUp {
  readonly ticketId: string;
  readonly phase: string;
  readonly citation: string;
  readonly by: string | undefined;
  /** All that holds about its topic, where it was pinned. */
  readonly heirs: readonly string[];
  readonly byOperator: boolean;
}

/** Gives up what was recorded about topics before and is not among what holds now. */
export async function supersedeTopics(em: EntityManager, topics: readonly Topic[], reason: string): Promise<GivenUp[]> {
  if (topics.length === 0) return [];
  const rows = await rowsOf(
    em,
    sql<{ ticketId: string; phase: string; number: number; heirs: number[] | null; pinned: boolean; byOperator: boolean }>`
        update context_items c set superseded_at = clock_timestamp(), superseded_reason = ${reason}, superseded_by = n.id
        from jsonb_to_recordset(${JSON.stringify(topics)}::jsonb) as x("ticketId" uuid, phase text, topic text, texts jsonb, "keepsPinned" boolean)
          cross join lateral (
            select (array_agg(i.id order by i.number desc))[1] as id, array_agg(i.number order by i.number desc) as heirs from context_items i
            where i.ticket_id = x."ticketId" and i.phase = x.phase and i.topic = x.topic and i.superseded_at is null and jsonb_exists(x.texts, i.text)
          ) n
        where c.ticket_id = x."ticketId" and c.phase = x.phase and c.topic = x.topic and c.superseded_at is null and not jsonb_exists(x.texts, c.text)
          and not (c.pinned and x."keepsPinned" is true)
        returning c.ticket_id, c.phase, c.number, n.heirs, c.pinned, c.by_operator`,
  );
  return rows.map(({ ticketId, phase, number, heirs, pinned, byOperator }) => {
    const citations = (heirs ?? []).map(toCitation);
    return { ticketId, phase, citation: toCitation(number), by: citations[0], heirs: pinned ? citations : [], byOperator };
  });
}

/** The topics that begin so and are none of these, of what holds. */
export async function listOtherTopics(
  em: EntityManager,
  { ticketId, phase, beginning }: { readonly ticketId: string; readonly phase: string; readonly beginning: string },
  topics: readonly string[],
): Promise<string[]> {
  const rows = await rowsOf(
    em,
    sql<{
      topic: string;
    }>`select distinct topic from context_items where ticket_id = ${ticketId} and phase = ${phase} and superseded_at is null
          and starts_with(topic, ${beginning}) and topic <> all(${topics}::text[])`,
  );
  return rows.map(({ topic }) => topic);
}
