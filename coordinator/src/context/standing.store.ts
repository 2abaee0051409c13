import type { ContextItem } from '@baton/protocol';
import { sql } from 'kysely';
import type { EntityManager } from '../db/orm.ts';
import { findRow, rowsOf } from '../db/rows.ts';
import { toCitation, toNumber } from './citation.ts';

// Whether what was said still holds, and whether it is pinned. Both are of a statement, wherever the ticket has it.

export interface GivenUpStatement {
  /** Of each place where the ticket held it. */
  readonly citations: string[];
  /** In one of them at least. */
  readonly wasPinned: boolean;
}

/** Gives up a statement wherever the ticket holds it. */
export async function supersedeStatement(
  em: EntityManager,
  { ticketId, kind, text }: Pick<ContextItem, 'ticketId' | 'kind' | 'text'>,
  { by, reason }: { readonly by: string; readonly reason: string },
): Promise<GivenUpStatement> {
  const rows = await rowsOf(
    em,
    sql<{
      number: number;
      pinned: boolean;
    }>`update context_items set superseded_at = clock_timestamp(), superseded_reason = ${reason}, superseded_by = ${by}
        where ticket_id = ${ticketId} and kind = ${kind} and text = ${text} and id <> ${by} and superseded_at is null returning number, pinned`,
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
  /** It was pinned, and what took its place is the only one about the topic. */
  readonly handsPinOn: boolean;
}

/** Gives up what was recorded about topics before and is not among what holds now. */
export async function supersedeTopics(em: EntityManager, topics: readonly Topic[], reason: string): Promise<GivenUp[]> {
  if (topics.length === 0) return [];
  const rows = await rowsOf(
    em,
    sql<{ ticketId: string; phase: string; number: number; by: number | null; handsPinOn: boolean }>`
        update context_items c set superseded_at = clock_timestamp(), superseded_reason = ${reason}, superseded_by = n.id
        from jsonb_to_recordset(${JSON.stringify(topics)}::jsonb) as x("ticketId" uuid, phase text, topic text, texts jsonb)
          left join lateral (
            select i.id, i.number from context_items i
            where i.ticket_id = x."ticketId" and i.phase = x.phase and i.topic = x.topic and i.superseded_at is null and jsonb_exists(x.texts, i.text)
            order by i.number desc limit 1
          ) n on true
        where c.ticket_id = x."ticketId" and c.phase = x.phase and c.topic = x.topic and c.superseded_at is null and not jsonb_exists(x.texts, c.text)
        returning c.ticket_id, c.phase, c.number, n.number as by, c.pinned and jsonb_array_length(x.texts) = 1 as hands_pin_on`,
  );
  return rows.map(({ ticketId, phase, number, by, handsPinOn }) => ({
    ticketId,
    phase,
    citation: toCitation(number),
    by: by === null ? undefined : toCitation(by),
    handsPinOn,
  }));
}
