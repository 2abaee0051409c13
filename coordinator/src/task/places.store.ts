import { sql } from 'kysely';
import type { EntityManager } from '../db/orm.ts';
import { rowsOf } from '../db/rows.ts';
import type { Tx } from '../db/transaction.ts';

/** The tickets of tasks, in the order of these; undefined where there is no such task. */
export async function findTicketsOf(em: EntityManager, taskIds: readonly string[]): Promise<(string | undefined)[]> {
  const rows = await rowsOf(
    em,
    sql<{ id: string; ticketId: string }>`select id, ticket_id from tasks where id = any(${[...new Set(taskIds)]}::uuid[])`,
  );
  const tickets = new Map(rows.map(({ id, ticketId }) => [id, ticketId]));
  return taskIds.map((id) => tickets.get(id));
}

/** Of these tickets those that somebody holds so that tasks can be neither added nor ended now, or whose visits he holds. */
export async function findHeldTickets(em: EntityManager, ticketIds: readonly string[]): Promise<Set<string>> {
  const free = await rowsOf(
    em,
    sql<{ id: string }>`with free as (select id, visit_id from tickets where id = any(${ticketIds}::uuid[]) for key share skip locked)
        select free.id from free join phase_visits v on v.id = free.visit_id for no key update of v skip locked`,
  );
  const there = await rowsOf(em, sql<{ id: string }>`select id from tickets where id = any(${ticketIds}::uuid[])`);
  const isFree = new Set(free.map(({ id }) => id));
  return new Set(there.flatMap(({ id }) => (isFree.has(id) ? [] : [id])));
}

/** Holds the tickets and visits of tasks, as `holdPlaces` does, where nobody is in the way: it never waits. Returns the tasks that it got them of. */
export async function holdFreePlaces({ em, projectId }: Pick<Tx, 'em' | 'projectId'>, taskIds: readonly string[]): Promise<Set<string>> {
  if (taskIds.length === 0) return new Set();
  const rows = await rowsOf(
    em,
    sql<{
      id: string;
    }>`with ran as (select id, ticket_id, visit_id from tasks where id = any(${taskIds}::uuid[]) and project_id = ${projectId}),
          free as (select id from tickets where id in (select ticket_id from ran) for key share skip locked),
          held as (select v.id from free join phase_visits v on v.ticket_id = free.id
            where v.id in (select visit_id from ran) for no key update of v skip locked)
        select ran.id from ran join held on held.id = ran.visit_id`,
  );
  return new Set(rows.map(({ id }) => id));
}
