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

/** A column that must have one of several values: a list in SQL, with each value once. */
export interface OneOf {
  readonly column: RawBuilder<unknown>;
  readonly values: RawBuilder<unknown>;
}

/** Values as a list in SQL, each once. */
export const listed = (values: readonly string[]): RawBuilder<unknown> => sql`${[...new Set(values)]}::text[]`;

interface FirstIds {
  /** With the alias that the conditions call it by. */
  readonly table: RawBuilder<unknown>;
  readonly conditions: readonly RawBuilder<unknown>[];
  /** The first of them should be that which leaves the fewest rows. */
  readonly oneOf: readonly OneOf[];
  readonly order: 'asc' | 'desc';
  readonly limit: number;
}

/**
 * The first ids for a page, and one more, as a query. Those of a column with one of several values are looked up value by value
 * and merged: an index on the column and the id has the rows of one value in order, while for several at once the planner would
 * read all of theirs, or all rows of the project until it has met enough.
 */
export const firstIds = ({ table, conditions, oneOf, order, limit }: FirstIds): RawBuilder<unknown> => {
  const sorted = order === 'asc' ? sql`order by id limit ${limit + 1}` : sql`order by id desc limit ${limit + 1}`;
  const all = [...conditions, ...oneOf.map(({ column, values }) => sql`${column} = any(${values})`)];
  const [first] = oneOf;
  if (first === undefined) return sql`select id from ${table} where ${sql.join(all, sql` and `)} ${sorted}`;
  // That it is one of the list has been said already, and tells the planner how many rows that will be.
  const ofValue = sql.join([...all, sql`${first.column} = v.value`], sql` and `);
  return sql`select id from unnest(${first.values}) as v (value)
    cross join lateral (select id from ${table} where ${ofValue} ${sorted}) as found ${sorted}`;
};
