import { type AgentHealth, agentHealths, type AgentStatus, agentStatuses, type Result } from '@baton/protocol';
import { sql } from 'kysely';
import type { EntityManager } from '../db/orm.ts';
import { rowsOf } from '../db/rows.ts';
import { isLiving, type Liveness, runningOfSession, statusColumn } from './agent.store.ts';
import { allowedSilenceMs } from './health-rules.ts';

interface Group {
  readonly status: AgentStatus;
  readonly health: AgentHealth;
  readonly type: string;
  readonly phase: string | null;
  readonly agents: number;
  readonly slots: number;
  readonly free: number;
}

const mayWork: ReadonlySet<AgentStatus> = new Set(['idle', 'working', 'busy']);

/** The agents of a project in figures, from one pass over them. */
export async function countAgents(
  em: EntityManager,
  { heartbeatMs }: Pick<Liveness, 'heartbeatMs'>,
  projectId: string,
): Promise<Result<'agent/statistics'>> {
  const allowed = sql`${allowedSilenceMs(heartbeatMs)} * interval '1 millisecond'`;
  const groups = await rowsOf(
    em,
    sql<Group>`select ${statusColumn} as status,
          case when not ${isLiving} then 'lost' when s.last_seen_at > statement_timestamp() - ${allowed} then 'healthy' else 'stale' end as health,
          a.type, a.phase, count(*)::int as agents, sum(a.capacity)::int as slots, sum(greatest(a.capacity - r.running, 0))::int as free
        from agents a left join sessions s on s.agent_id = a.id and s.ended_at is null
          cross join lateral ${runningOfSession} r
        where a.project_id = ${projectId} group by 1, 2, 3, 4`,
  );
  const working = groups.filter(({ status }) => mayWork.has(status));
  return {
    total: sum(groups, 'agents'),
    capacity: sum(working, 'slots'),
    free: sum(working, 'free'),
    byStatus: countBy(groups, ({ status }) => status, agentStatuses),
    byType: countBy(groups, ({ type }) => type),
    byPhase: countBy(groups, ({ phase }) => phase ?? undefined),
    byHealth: countBy(groups, ({ health }) => health, agentHealths),
  };
}

const sum = (groups: readonly Group[], figure: 'agents' | 'slots' | 'free'): number =>
  groups.reduce((total, group) => total + group[figure], 0);

/** Agents by a key; `always` names those keys that are there even if they are nobody's. */
function countBy<K extends string>(
  groups: readonly Group[],
  keyOf: (group: Group) => K | undefined,
  always: readonly K[] = [],
): Record<K, number> {
  const counts = Object.fromEntries(always.map((key) => [key, 0])) as Record<K, number>;
  for (const group of groups) {
    const key = keyOf(group);
    if (key !== undefined) counts[key] = (counts[key] ?? 0) + group.agents;
  }
  return counts;
}
