import { type RawBuilder, sql } from 'kysely';
import type { Need } from './capability-needs.store.ts';

/**
 * How well an agent `a` fits, as columns of a statement (DESIGN section 8):
 * coverage + 0.2 · free share + 0.2 · healthy + 0.05 · min(capacity, 5).
 */
type Column = RawBuilder<unknown>;

const isMet = ({ name, offers }: Need): Column =>
  offers === undefined ? sql`a.capability_names @> ${[name]}::text[]` : sql`a.capabilities && ${offers}::text[]`;

/** The agents that meet at least one of the needs; those that say nothing of them are never looked at. */
export function meetsSome(needs: readonly Need[]): Column {
  if (needs.length === 0) return sql`true`;
  // By the index first: names alone. Whether a version will do is for those that are left.
  const named = sql`a.capability_names && ${needs.map(({ name }) => name)}::text[]`;
  return needs.every(({ offers }) => offers === undefined) ? named : sql`${named} and (${sql.join(needs.map(isMet), sql` or `)})`;
}

/** The agents that meet all of the needs. */
export const meetsAll = (needs: readonly Need[]): Column =>
  sql.join(
    [sql`a.capability_names @> ${needs.map(({ name }) => name)}::text[]`, ...needs.filter(({ offers }) => offers !== undefined).map(isMet)],
    sql` and `,
  );

/** The share of the needs that an agent meets which meets at least one. */
export function coverageOf(needs: readonly Need[]): Column {
  if (needs.length <= 1) return sql`1::float8`;
  return sql`((${sql.join(
    needs.map((need) => sql`(${isMet(need)})::int`),
    sql` + `,
  )})::float8 / ${needs.length}::int)`;
}

export const freeShareOf = (free: Column): Column => sql`(0.2::float8 * ${free} / a.capacity)`;
export const healthyOf = (isHealthy: Column): Column => sql`(case when ${isHealthy} then 0.2::float8 else 0 end)`;
export const capacityShare = sql`(0.05::float8 * least(a.capacity, 5))`;

export interface Standing {
  readonly coverage: Column;
  readonly free: Column;
  readonly isHealthy: Column;
}

/** The sum of the parts in millionths: whole numbers, so that equal scores are equal whatever they are made of. */
export const scoreOf = ({ coverage, free, isHealthy }: Standing): Column =>
  sql`round(1000000 * (${coverage} + ${freeShareOf(free)} + ${healthyOf(isHealthy)} + ${capacityShare}))`;
