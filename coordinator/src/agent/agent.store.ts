import { type Agent, type AgentStatus, CoordinatorError, type JsonObject } from '@baton/protocol';
import { sql } from 'kysely';
import type { EntityManager } from '../db/orm.ts';
import { rowsOf, toTimestamp } from '../db/rows.ts';
import { allowedSilenceMs, healthOf } from './health-rules.ts';

export interface Liveness {
  readonly heartbeatMs: number;
  /** How long a session has been silent as this coordinator knows it: newer than what has been written down. */
  readonly silenceMs: (sessionId: string) => number | undefined;
}

/** An agent as it is read, with what is computed and nowhere stored. */
export interface AgentViewRow {
  readonly id: string;
  readonly name: string;
  readonly type: string;
  readonly phase: string | null;
  readonly capabilities: string[];
  readonly capacity: number;
  readonly tags: string[];
  readonly metadata: JsonObject;
  readonly state: Agent['state'];
  readonly stateReason: string | null;
  readonly available: boolean;
  readonly status: AgentStatus;
  readonly epoch: number;
  readonly running: number;
  readonly silenceMs: number | null;
  readonly expiresInMs: number | null;
  readonly living: boolean;
  readonly eventLoopLagMs: number | null;
  readonly sessionId: string | null;
  readonly createdAt: string;
}

/** Whether the session `s`, which an outer join may have left out, still has its lease. */
export const isLiving = sql`coalesce(s.lease_until > statement_timestamp(), false)`;

/** How the agent `a` with its session `s` and its attempts `r` is; the one place that says so. */
export const statusColumn = sql`case
    when a.state in ('terminated', 'quarantined', 'maintenance') then a.state
    when not ${isLiving} then 'lost'
    when a.state = 'draining' then 'draining'
    when not a.available then 'unavailable'
    when r.running >= a.capacity then 'busy'
    when r.running > 0 then 'working'
    else 'idle' end`;

/** The columns of an `AgentViewRow`, of the same three. */
export const viewColumns = sql`a.id, a.name, a.type, a.phase, a.capabilities, a.capacity, a.tags, a.metadata, a.state, a.state_reason, a.available, a.epoch, a.created_at,
    r.running, ${statusColumn} as status, ${isLiving} as living, s.id as session_id, s.event_loop_lag_ms,
    (extract(epoch from statement_timestamp() - s.last_seen_at) * 1000)::float8 as silence_ms,
    (extract(epoch from s.lease_until - statement_timestamp()) * 1000)::float8 as expires_in_ms`;

/**
 * What the session `s` runs: a look into the index for each. One pass over all that runs would be a little less for thousands of
 * agents, but a planner without statistics makes it a pass for each of them.
 */
export const runningOfSession = sql`(select count(*)::int as running from tasks t where t.session_id = s.id and t.state = 'running')`;

export interface AgentQuery {
  readonly projectId: string;
  readonly id?: string | undefined;
  /** Those that are lost or terminated, too. */
  readonly all: boolean;
  readonly after?: string | undefined;
  readonly limit: number;
}

/** Agents by name, as they are stored and seen from here. */
export async function listAgentRows(
  em: EntityManager,
  { silenceMs: heard }: Liveness,
  { projectId, id, all, after, limit }: AgentQuery,
): Promise<AgentViewRow[]> {
  const conditions = [sql`a.project_id = ${projectId}`];
  if (id !== undefined) conditions.push(sql`a.id = ${id}`);
  if (!all) conditions.push(sql`${isLiving} and a.state <> 'terminated'`);
  if (after !== undefined) conditions.push(sql`a.name > ${after}`);
  const rows = await rowsOf(
    em,
    sql<AgentViewRow>`select ${viewColumns}
        from agents a left join sessions s on s.agent_id = a.id and s.ended_at is null cross join lateral ${runningOfSession} r
        where ${sql.join(conditions, sql` and `)} order by a.name limit ${limit}`,
  );
  return rows.map((row) => {
    const { silenceMs: written, sessionId } = row;
    const silenceMs = written === null || sessionId === null ? written : Math.min(written, heard(sessionId) ?? written);
    return { ...row, silenceMs };
  });
}

export async function listAgents(em: EntityManager, liveness: Liveness, query: AgentQuery): Promise<Agent[]> {
  return (await listAgentRows(em, liveness, query)).map((row) => toAgent(row, liveness));
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

export function toAgent(row: AgentViewRow, { heartbeatMs }: Pick<Liveness, 'heartbeatMs'>): Agent {
  const { sessionId: _, living, expiresInMs: __, createdAt, phase, stateReason, silenceMs, eventLoopLagMs, ...agent } = row;
  return {
    ...agent,
    health: healthOf({ silenceMs, living }, allowedSilenceMs(heartbeatMs)),
    registeredAt: toTimestamp(createdAt),
    ...(phase !== null && { phase }),
    ...(stateReason !== null && { stateReason }),
    ...(silenceMs !== null && { silenceMs: Math.round(silenceMs) }),
    ...(eventLoopLagMs !== null && { eventLoopLagMs: Math.round(eventLoopLagMs) }),
  };
}
