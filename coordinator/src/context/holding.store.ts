import type { ContextItem, ContextKind, ContextSource } from '@baton/protocol';
import { coveredKinds } from '@baton/sdk/plugin';
import { sql } from 'kysely';
import type { EntityManager } from '../db/orm.ts';
import { findRow, rowsOf } from '../db/rows.ts';
import { toNumber } from './citation.ts';
import { columnsWith, type ItemRow, toContextItem } from './context.store.ts';

// The data of what is said is for those who ask for one item.
const columnsOfPacks = columnsWith(sql`case when c.source = 'artifact' then c.data end as data`);

/** Those of a ticket's items that still hold, oldest first. */
export const findHolding = (em: EntityManager, ticketId: string, citations: readonly string[]): Promise<ContextItem[]> =>
  readHolding(em, ticketId, citations.map(toNumber));

async function readHolding(em: EntityManager, ticketId: string, numbers: readonly number[]): Promise<ContextItem[]> {
  const rows = await rowsOf(
    em,
    sql<ItemRow>`select ${columnsOfPacks} from context_items c
        where c.ticket_id = ${ticketId} and c.superseded_at is null and c.number = any(${numbers}::int[]) order by c.number`,
  );
  return rows.map(toContextItem);
}

/** So many items take a few milliseconds to be taken over, in which nobody else is served. */
const readTogether = 1_000;

/**
 * What still holds in a ticket, oldest first: of more than the limit what is pinned, what must not be forgotten and the newest.
 * Others are served while it is read; `em` reads one snapshot.
 */
export async function listMostNeeded(em: EntityManager, ticketId: string, limit: number): Promise<ContextItem[]> {
  const needed = await findRow(
    em,
    sql<{ numbers: number[] | null }>`select array_agg(number order by number) as numbers from (
          select number from context_items where ticket_id = ${ticketId} and superseded_at is null
          order by pinned desc, source = 'said' and kind = any(${neededKinds}::text[]) desc, number desc limit ${limit}) as needed`,
  );
  const numbers = needed?.numbers ?? [];
  const items: ContextItem[] = [];
  for (let read = 0; read < numbers.length; read += readTogether)
    items.push(...(await readHolding(em, ticketId, numbers.slice(read, read + readTogether))));
  return items;
}

/** What must not be forgotten, where it is said. */
export const neededKinds: readonly ContextKind[] = ['instruction', ...coveredKinds];

export interface HoldingCount {
  readonly visit: number;
  readonly source: ContextSource;
  readonly items: number;
  /** The number of the newest of them. */
  readonly last: number;
}

/** How much still holds in a ticket. Reads all of it. */
export const countHolding = (em: EntityManager, ticketId: string): Promise<HoldingCount[]> =>
  rowsOf(
    em,
    sql<HoldingCount>`select visit_number as visit, source, count(*)::int as items, max(number) as last from context_items
        where ticket_id = ${ticketId} and superseded_at is null group by visit_number, source`,
  );

/** By how much these items change what had been counted up to an item: those that are newer came, if they hold, and the others were given up. */
export const countChanged = (
  em: EntityManager,
  { ticketId, last }: { readonly ticketId: string; readonly last: number },
  citations: readonly string[],
): Promise<HoldingCount[]> =>
  rowsOf(
    em,
    sql<HoldingCount>`select visit_number as visit, source, max(number) as last,
          sum(case when number <= ${last} then -1 when superseded_at is null then 1 else 0 end)::int as items
        from context_items where ticket_id = ${ticketId} and number = any(${citations.map(toNumber)}::int[]) group by visit_number, source`,
  );
