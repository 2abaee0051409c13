import type { EventName, RecordedEvent } from '@baton/protocol';
import { sql } from 'kysely';
import type { EntityManager } from '../db/orm.ts';
import { findRow, rowsOf, toTimestamp } from '../db/rows.ts';
import type { PendingEvent } from '../db/transaction.ts';

/**
 * Appends to the project's stream as the last statement of a transaction. The stream's row stays locked until the commit,
 * which makes numbers follow commits without a gap.
 */
export async function appendEvents(em: EntityManager, projectId: string, events: readonly PendingEvent[]): Promise<void> {
  if (events.length === 0) return;
  const rows = JSON.stringify(
    events.map(({ name, ticketId, data }, index) => ({ offset: index + 1, name, ticket_id: ticketId ?? null, data })),
  );
  await rowsOf(
    em,
    sql`with stream as (
          update event_streams set last_seq = last_seq + ${events.length} where project_id = ${projectId} returning last_seq
        )
        insert into events (project_id, seq, name, ticket_id, data)
        select ${projectId}::uuid, stream.last_seq - ${events.length} + e."offset", e.name, e.ticket_id, e.data
        from stream, jsonb_to_recordset(${rows}::jsonb) as e("offset" int, name text, ticket_id uuid, data jsonb)`,
  );
}

export interface EventQuery {
  readonly projectId: string;
  readonly after: number;
  readonly ticketId?: string | undefined;
  /** Only these. */
  readonly names?: readonly EventName[];
  readonly limit: number;
}

interface EventRow {
  readonly seq: string | number;
  readonly name: string;
  readonly ticketId: string | null;
  readonly at: string;
  readonly data: unknown;
}

export async function listEvents(em: EntityManager, { projectId, after, ticketId, names, limit }: EventQuery): Promise<RecordedEvent[]> {
  const ofTicket = ticketId === undefined ? sql`` : sql`and ticket_id = ${ticketId}`;
  const ofNames = names === undefined ? sql`` : sql`and name = any(${names}::text[])`;
  const rows = await rowsOf(
    em,
    sql<EventRow>`select seq, name, ticket_id, at, data from events
        where project_id = ${projectId} and seq > ${after} ${ofTicket} ${ofNames} order by seq limit ${limit}`,
  );
  return rows.map(toEvent);
}

const toEvent = ({ seq, name, ticketId, at, data }: EventRow): RecordedEvent =>
  ({ seq: Number(seq), name, ...(ticketId !== null && { ticketId }), at: toTimestamp(at), data }) as RecordedEvent;

/** The events of a ticket with these numbers. */
export async function findEvents(em: EntityManager, ticketId: string, seqs: readonly number[]): Promise<RecordedEvent[]> {
  if (seqs.length === 0) return [];
  const rows = await rowsOf(
    em,
    sql<EventRow>`select seq, name, ticket_id, at, data from events where ticket_id = ${ticketId} and seq = any(${seqs}::bigint[]) order by seq`,
  );
  return rows.map(toEvent);
}

/** The streams of all projects, with the numbers of their newest events. */
export async function listStreams(em: EntityManager): Promise<{ projectId: string; lastSeq: number }[]> {
  const rows = await rowsOf(em, sql<{ projectId: string; lastSeq: string | number }>`select project_id, last_seq from event_streams`);
  return rows.map(({ projectId, lastSeq }) => ({ projectId, lastSeq: Number(lastSeq) }));
}

/** The number of the project's newest event; 0 before the first. */
export async function getLastSeq(em: EntityManager, projectId: string): Promise<number> {
  const row = await findRow(em, sql<{ lastSeq: string | number }>`select last_seq from event_streams where project_id = ${projectId}`);
  return Number(row?.lastSeq ?? 0);
}
