import { type RawBuilder, sql } from 'kysely';

/** What the large fields of a page may take together, in bytes of JSON. A single row may take more, and is a page of its own. */
const pageBytesMax = 1024 * 1024;

/** A row of a page; `found` is how many rows there were for it, one more than its limit at most. */
interface PageRow {
  readonly id: string;
  readonly found: number;
}

/**
 * The rows that fill a page, as `id`, `place` and `found`: no more than its limit, and no more than it has room for.
 * `rows` selects `id`, `bytes`, and as `place` the row number in the order in which it sorts them.
 */
export const pageOf = (rows: RawBuilder<unknown>, limit: number): RawBuilder<PageRow> => sql<PageRow>`
  select id, place, found from (
    select id, place, sum(bytes) over (order by place) as bytes, (count(*) over ())::int as found from (${rows} limit ${limit + 1}) as listed) as measured
  where place <= ${limit} and (place = 1 or bytes <= ${pageBytesMax}) order by place`;

/** Whether rows were left over for another page. */
export const hasMore = (page: readonly Pick<PageRow, 'found'>[]): boolean => page.length < (page[0]?.found ?? 0);
