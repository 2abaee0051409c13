import { createHash } from 'node:crypto';
import { sql } from 'kysely';
import { namesOf } from '../agent/capability-rules.ts';
import type { EntityManager } from '../db/orm.ts';
import { rowsOf } from '../db/rows.ts';

/** The ids of the sets of capabilities, in the order given; new sets are made. */
export async function ensureCapabilitySets(em: EntityManager, projectId: string, sets: readonly (readonly string[])[]): Promise<number[]> {
  const digests = sets.map((set) => createHash('sha256').update(set.join('\n')).digest('hex'));
  const distinct = new Map(digests.map((digest, index) => [digest, sets[index] ?? []]));
  const ids = await findSetIds(em, projectId, [...distinct.keys()]);
  const missing = [...distinct].filter(([digest]) => !ids.has(digest));
  if (missing.length > 0) {
    await insertSets(em, projectId, missing);
    const made = missing.map(([digest]) => digest);
    for (const [digest, id] of await findSetIds(em, projectId, made)) ids.set(digest, id);
  }
  return digests.map((digest) => {
    const id = ids.get(digest);
    if (id === undefined) throw new Error('A capability set vanished between its making and its reading.');
    return id;
  });
}

async function findSetIds(em: EntityManager, projectId: string, digests: readonly string[]): Promise<Map<string, number>> {
  const rows = await rowsOf(
    em,
    sql<{
      id: number;
      digest: string;
    }>`select id, digest from capability_sets where project_id = ${projectId} and digest = any(${digests}::text[])`,
  );
  return new Map(rows.map(({ id, digest }) => [digest, id]));
}

// In one order, so that two who make the same sets do not wait for each other.
const insertSets = (em: EntityManager, projectId: string, sets: readonly (readonly [string, readonly string[]])[]): Promise<unknown[]> =>
  rowsOf(
    em,
    sql`insert into capability_sets (project_id, digest, capabilities, capability_names)
        select ${projectId}::uuid, x.digest, x.capabilities, x.names
        from jsonb_to_recordset(${JSON.stringify(sets.map(([digest, capabilities]) => ({ digest, capabilities, names: namesOf(capabilities) })))}::jsonb)
          as x(digest text, capabilities text[], names text[])
        order by x.digest on conflict do nothing`,
  );
