import type { FoundAgent, SearchQuery } from '@baton/protocol';
import { type RawBuilder, sql } from 'kysely';
import type { EntityManager } from '../db/orm.ts';
import { rowsOf } from '../db/rows.ts';
import { capacityShare, coverageOf, freeShareOf, healthyOf, meetsAll, meetsSome, scoreOf } from './agent-score.ts';
import { type AgentViewRow, isLiving, type Liveness, runningOfSession, statusColumn, toAgent, viewColumns } from './agent.store.ts';
import { type Need, resolveNeeds } from './capability-needs.store.ts';
import { uncovered } from './capability-rules.ts';
import { allowedSilenceMs } from './health-rules.ts';

interface FoundRow extends AgentViewRow {
  readonly coverage: number;
  readonly freeShare: number;
  readonly healthy: number;
  readonly capacityShare: number;
  /** In millionths. */
  readonly score: number;
  readonly edgeBound: number | null;
  readonly edgeCapacity: number | null;
  readonly edgeId: string | null;
}

export interface AgentSearch extends SearchQuery {
  /** Only those that meet all that is needed and have a free slot. */
  readonly canBegin?: boolean;
}

interface Look {
  readonly projectId: string;
  readonly search: AgentSearch;
  readonly needs: readonly Need[];
  /** How many agents are looked at closely; without it all that match. */
  readonly closely?: number;
}

/**
 * Agents that can do some of what is needed, the best first. They are found by their capabilities and put in the order of the
 * most that each could score. Sessions and attempts are read for the first of them, and for all only if these do not settle it.
 */
export async function searchAgents(em: EntityManager, liveness: Liveness, projectId: string, search: AgentSearch): Promise<FoundAgent[]> {
  const needs = await resolveNeeds(em, projectId, search.capabilities);
  const first = await lookAt(em, liveness, { projectId, search, needs, closely: Math.max(500, 4 * search.limit) });
  const rows = isSettled(first, search.limit) ? first : await lookAt(em, liveness, { projectId, search, needs });
  return rows.map((row) => toFound(row, search.capabilities, liveness));
}

async function lookAt(em: EntityManager, liveness: Liveness, { projectId, search, needs, closely }: Look): Promise<FoundRow[]> {
  const allowed = sql`${allowedSilenceMs(liveness.heartbeatMs)} * interval '1 millisecond'`;
  const isHealthy = sql`coalesce(${isLiving} and s.last_seen_at > statement_timestamp() - ${allowed}, false)`;
  return rowsOf(
    em,
    sql<FoundRow>`with ${likely(projectId, search, needs, closely)}, ranked as (
        select a.id, c.coverage, f.free, h.healthy, r.running,
            ${scoreOf({ coverage: sql`c.coverage`, free: sql`f.free`, isHealthy: sql`h.healthy` })} as score
          from likely a ${livingSession(closely)} cross join lateral ${runningOfSession} r
            cross join lateral (select greatest(a.capacity - r.running, 0) as free) f
            cross join lateral (select ${coverageOf(needs)} as coverage) c
            cross join lateral (select ${isHealthy} as healthy) h
          where ${mayBeFound(search)} ${search.canBegin === true ? sql`and f.free > 0` : sql``}
          order by score desc, free desc, id limit ${search.limit}
      )
      select ${viewColumns}, r.score, r.coverage, ${freeShareOf(sql`r.free`)} as free_share, ${healthyOf(sql`r.healthy`)} as healthy,
          ${capacityShare} as capacity_share, edge.bound as edge_bound, edge.capacity as edge_capacity, edge.id as edge_id
        from ranked r join agents a on a.id = r.id left join sessions s on s.agent_id = a.id and s.ended_at is null left join edge on true
        order by r.score desc, r.free desc, r.id`,
  );
}

/** The agents to look at: those that could score most, with the last of them as the edge, or all that match. */
function likely(projectId: string, search: AgentSearch, needs: readonly Need[], closely: number | undefined): RawBuilder<unknown> {
  const matching = sql`from agents a where ${matches(projectId, search, needs)}`;
  const columns = sql`a.id, a.state, a.available, a.capacity, a.capabilities, a.capability_names`;
  if (closely === undefined)
    return sql`likely as (select ${columns} ${matching}), edge as (select null as bound, null as capacity, null as id)`;
  const most = scoreOf({ coverage: coverageOf(needs), free: sql`a.capacity`, isHealthy: sql`true` });
  return sql`likely as materialized (select ${columns}, ${most} as bound ${matching} order by bound desc, capacity desc, id limit ${closely}),
      edge as (select bound, capacity, id from likely order by bound desc, capacity desc, id offset ${closely - 1})`;
}

/** Their sessions: for a few agents a look into the index each, whatever a planner thinks of the size of the table. */
const livingSession = (closely: number | undefined): RawBuilder<unknown> =>
  closely === undefined
    ? sql`left join sessions s on s.agent_id = a.id and s.ended_at is null`
    : sql`left join lateral (select * from sessions where agent_id = a.id and ended_at is null limit 1) s on true`;

/** Of those that match, by their status. */
const mayBeFound = ({ include }: AgentSearch): RawBuilder<unknown> =>
  include.length === 0
    ? sql`s.lease_until > statement_timestamp()`
    : sql`${statusColumn} = any(${['idle', 'working', 'busy', ...include]}::text[])`;

/** What can be told from the row of an agent alone. */
function matches(projectId: string, search: AgentSearch, needs: readonly Need[]): RawBuilder<unknown> {
  const { tags, type, phase, text, include, canBegin = false } = search;
  const conditions = [sql`a.project_id = ${projectId}`, canBegin ? meetsAll(needs) : meetsSome(needs)];
  // Otherwise the status decides, which takes the session.
  if (include.length === 0) conditions.push(sql`a.state = 'active' and a.available`);
  if (tags.length > 0) conditions.push(sql`a.tags @> ${tags}::text[]`);
  if (type !== undefined) conditions.push(sql`a.type = ${type}`);
  if (phase !== undefined) conditions.push(sql`a.phase = ${phase}`);
  if (text !== undefined) conditions.push(sql`position(lower(${text}) in lower(a.name)) > 0`);
  return sql.join(conditions, sql` and `);
}

/**
 * Whether nobody that was not looked at closely can come before the last that was found. None of them could score more than the
 * edge, and one that scores as much has no more slots and comes later by its id: all its slots would have to be free.
 */
function isSettled(rows: readonly FoundRow[], limit: number): boolean {
  const last = rows.at(-1);
  if (last === undefined) return false;
  const { edgeBound, edgeCapacity, edgeId, score, capacity, running, id } = last;
  if (edgeBound === null || edgeCapacity === null || edgeId === null) return true;
  if (rows.length < limit) return false;
  if (score !== edgeBound) return score > edgeBound;
  const free = Math.max(capacity - running, 0);
  return free === edgeCapacity ? id <= edgeId : free > edgeCapacity;
}

function toFound(
  { coverage, freeShare, healthy, capacityShare, score, edgeBound: _, edgeCapacity: __, edgeId: ___, ...row }: FoundRow,
  needed: readonly string[],
  liveness: Liveness,
): FoundAgent {
  return {
    agent: toAgent(row, liveness),
    score: score / 1_000_000,
    parts: {
      coverage: inMillionths(coverage),
      freeShare: inMillionths(freeShare),
      healthy: inMillionths(healthy),
      capacity: inMillionths(capacityShare),
    },
    missing: uncovered(row.capabilities, needed),
  };
}

/** As the score is: what the last digits of a floating-point number say is nothing that was counted. */
const inMillionths = (part: number): number => Math.round(part * 1_000_000) / 1_000_000;
