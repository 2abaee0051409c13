import { sql } from 'kysely';
import { isFileKey, isWide, spaceOf } from './lock-key.ts';

/** A stretch of keys in the order of their bytes, from the first up to but without the second. */
type Stretch = readonly [string, string];

/** Where the keys that meet a pattern or range may lie: behind what it begins with, up to its last separator. */
function stretchOf(key: string): Stretch {
  const literal = isFileKey(key) ? (/^[^*?[{]*/.exec(key)?.[0] ?? '') : key;
  const end = Math.max(literal.lastIndexOf('/'), literal.indexOf(':'));
  const separator = literal[end] === '/' ? '0' : ';';
  return [literal.slice(0, end + 1), literal.slice(0, end) + separator];
}

/**
 * The condition for rows whose key may meet one of these: the same key, a pattern or range of the space, or whatever lies
 * where a pattern or range among them reaches. Some that do not meet are among them. Ranges are waited for and never held.
 */
export function mayMeet(keys: readonly string[], { alias, areHeld }: { readonly alias: string; readonly areHeld: boolean }) {
  const key = sql.ref(`${alias}.key`);
  const conditions = [sql`${key} = any(${keys}::text[])`];
  const spaces = [...new Set(keys.map(spaceOf))].filter((space) => !areHeld || space === 'file');
  if (spaces.length > 0) conditions.push(sql`${sql.ref(`${alias}.is_wide`)} and split_part(${key}, ':', 1) = any(${spaces}::text[])`);
  for (const [from, to] of new Map(keys.filter(isWide).map(stretchOf))) conditions.push(sql`${key} ~>=~ ${from} and ${key} ~<~ ${to}`);
  return sql`(${sql.join(conditions, sql` or `)})`;
}
