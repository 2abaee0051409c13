import { type Agent, CoordinatorError, type JsonObject } from '@baton/protocol';
import { sql } from 'kysely';
import type { EntityManager } from '../db/orm.ts';
import { rowsOf, toTimestamp } from '../db/rows.ts';

export interface Liveness {
  readonly heartbeatMs: number;
  /** How long a session has been silent as this coordinator knows it: newer than what has been written down. */
  readonly silenceMs: (sessionId: string) => number | undefined;
}

interface AgentViewRow {
  readonly id: string;
  readonly name: string;
  readonly capabilities: string[];
  readonly capacity: number;
  readonly tags: string[];
  readonly metadata: JsonObject;
  readonly state: Agent['state'];
  readonly epoch: number;
  readonly running: number;
  readonly silenceMs: number | null;
  readonly living: boolean;
  readonly sessionId: string | null;
  readonly createdAt: string;
}

export interface AgentQuery {
  readonly projectId: string;
  readonly id?: string;
  /** Those that are lost or terminated, too. */
  readonly all: boolean;
  readonly after?: string | undefined;
  readonly limit: number;
}

/** Agents by name, with what is computed and nowhere stored: what they run, and how long they have been silent. */
export async function listAgents(
  em: EntityManager,
  liveness: Liveness,
  { projectId, id, all, after, limit }: AgentQuery,
): Promise<Agent[]> {
  const conditions = [sql`a.project_id = ${projectId}`];
  if (id !== undefined) conditions.push(sql`a.id = ${id}`);
  if (!all) conditions.push(sql`s.id is not null and s.lease_until > clock_timestamp() and a.state <> 'terminated'`);
  if (after !== undefined) conditions.push(sql`a.name > ${after}`);
  const rows = await rowsOf(
    em,
    sql<AgentViewRow>`select a.id, a.name, a.capabilities, a.capacity, a.tags, a.metadata, a.state, a.epoch, a.created_at,
          (select count(*)::int from tasks t where t.session_id = s.id and t.state = 'running') as running,
          (extract(epoch from clock_timestamp() - s.last_seen_at) * 1000)::float8 as silence_ms,
          s.id as session_id, coalesce(s.lease_until > clock_timestamp(), false) as living
        from agents a left join sessions s on s.agent_id = a.id and s.ended_at is null
        where ${sql.join(conditions, sql` and `)} order by a.name limit ${limit}`,
  );
  return rows.map((row) => toAgent(row, liveness));
}

export async function getAgent(
  em: EntityManager,
  liveness: Liveness,
  { projectId, id }: { projectId: string; id: string },
): Promise<Agent> {
  const [agent] = await listAgents(em, liveness, { projectId, id, all: true, limit: 1 });
  if (agent === undefined) throw new CoordinatorError('agent_not_found', { agentId: id });
  return agent;
}

function toAgent(
  { living, sessionId, silenceMs: written, createdAt, ...agent }: AgentViewRow,
  { heartbeatMs, silenceMs: heard }: Liveness,
): Agent {
  const silenceMs = written === null || sessionId === null ? written : Math.min(written, heard(sessionId) ?? written);
  const isStale = silenceMs !== null && silenceMs >= 2 * heartbeatMs;
  return {
    ...agent,
    health: !living ? 'lost' : isStale ? 'stale' : 'healthy',
    registeredAt: toTimestamp(createdAt),
    ...(silenceMs !== null && { silenceMs }),
  };
}
