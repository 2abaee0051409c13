import { sql } from 'kysely';
import type { EntityManager } from '../db/orm.ts';
import { rowsOf } from '../db/rows.ts';

/** How many agents one assignment looks at, in the order of their sessions. */
const assigneesMax = 1_000;

export interface AssigneeRow {
  readonly agentId: string;
  readonly agentName: string;
  readonly sessionId: string;
  readonly capabilities: string[];
  readonly capacity: number;
  readonly running: number;
  /** Tasks that are kept for it already. */
  readonly reserved: number;
  readonly silenceMs: number;
}

/**
 * The agents that take work, with what they run and what is kept for them. Their sessions are held as by claims: two
 * assignments do not promise one slot twice, and a claim does not fill it meanwhile.
 */
export async function lockAssignees(
  em: EntityManager,
  { projectId, agentIds }: { readonly projectId: string; readonly agentIds?: readonly string[] | undefined },
): Promise<AssigneeRow[]> {
  const among = agentIds === undefined ? sql`` : sql`and a.id = any(${agentIds}::uuid[])`;
  const held = await rowsOf(
    em,
    sql<{ id: string }>`select s.id from sessions s join agents a on a.id = s.agent_id
        where a.project_id = ${projectId} and a.state = 'active' and a.available and s.ended_at is null and s.lease_until > clock_timestamp() ${among}
        order by s.id limit ${assigneesMax} for no key update of s`,
  );
  const sessionIds = held.map(({ id }) => id);
  return rowsOf(
    em,
    sql<AssigneeRow>`select a.id as agent_id, a.name as agent_name, s.id as session_id, a.capabilities, a.capacity,
          (select count(*)::int from tasks t where t.session_id = s.id and t.state = 'running') as running,
          (select count(*)::int from tasks t where t.reserved_for = a.id and t.state = 'ready' and t.reserved_until > clock_timestamp()) as reserved,
          (extract(epoch from clock_timestamp() - s.last_seen_at) * 1000)::float8 as silence_ms
        from sessions s join agents a on a.id = s.agent_id where s.id = any(${sessionIds}::uuid[]) and s.ended_at is null and a.state = 'active' and a.available`,
  );
}

export interface Reservation {
  readonly taskId: string;
  readonly agentId: string;
}

/** Keeps tasks whose rows this transaction holds for agents. */
export const writeReservations = (em: EntityManager, reservations: readonly Reservation[], forMs: number): Promise<unknown[]> =>
  rowsOf(
    em,
    sql`update tasks t set reserved_for = x."agentId", reserved_until = clock_timestamp() + ${forMs} * interval '1 millisecond'
        from jsonb_to_recordset(${JSON.stringify(reservations)}::jsonb) as x("taskId" uuid, "agentId" uuid) where t.id = x."taskId"`,
  );
