import { sql } from 'kysely';
import type { EntityManager } from '../db/orm.ts';
import { rowsOf } from '../db/rows.ts';
import { covers, namesOf, uncovered } from './capability-rules.ts';

/** A need in a form in which a statement can tell who meets it. */
export interface Need {
  readonly name: string;
  /** The offers that meet a range of versions; undefined where any version does. */
  readonly offers: readonly string[] | undefined;
}

/** Versions are compared here, once for each that anybody has offered; what is left for the database is to look for texts. */
export async function resolveNeeds(em: EntityManager, projectId: string, needed: readonly string[]): Promise<Need[]> {
  const ranged = needed.filter((need) => need.includes('@'));
  const offers = ranged.length === 0 ? [] : await listVersionedOffers(em, projectId, namesOf(ranged));
  return needed.map((need) => {
    const [name = need] = namesOf([need]);
    return { name, offers: need.includes('@') ? offers.filter((offer) => covers([offer], [need])) : undefined };
  });
}

/** Keeps what an agent offers with a version, for those who search by a range. */
export async function keepVersionedOffers(em: EntityManager, projectId: string, capabilities: readonly string[]): Promise<void> {
  // In one order, so that of two who offer the same neither waits for the other in a circle.
  const offers = [...new Set(capabilities)].filter((offer) => offer.includes('@')).sort();
  if (offers.length === 0) return;
  await rowsOf(
    em,
    sql`insert into versioned_offers (project_id, name, offer)
        select ${projectId}::uuid, split_part(o.offer, '@', 1), o.offer from unnest(${offers}::text[]) with ordinality as o(offer, place) order by o.place
        on conflict do nothing`,
  );
}

const listVersionedOffers = async (em: EntityManager, projectId: string, names: readonly string[]): Promise<string[]> =>
  (
    await rowsOf(
      em,
      sql<{ offer: string }>`select offer from versioned_offers where project_id = ${projectId} and name = any(${names}::text[])`,
    )
  ).map(({ offer }) => offer);

/** Of what is needed, what no agent of the project offers. */
export async function listUnoffered(em: EntityManager, projectId: string, needed: readonly string[]): Promise<string[]> {
  return uncovered(await listOffers(em, projectId, namesOf(needed)), needed);
}

/** What the agents of a project offer of these names now, with versions. */
async function listOffers(em: EntityManager, projectId: string, names: readonly string[]): Promise<string[]> {
  const rows = await rowsOf(
    em,
    sql<{ offer: string }>`select distinct o.offer from agents a cross join lateral unnest(a.capabilities) as o(offer)
        where a.project_id = ${projectId} and a.capability_names && ${names}::text[] and split_part(o.offer, '@', 1) = any(${names}::text[])`,
  );
  return rows.map(({ offer }) => offer);
}
