import type { ProjectStatus } from '@baton/protocol';
import { sql } from 'kysely';
import { isLiving } from '../agent/agent.store.ts';
import type { EntityManager } from '../db/orm.ts';
import { rowsOf } from '../db/rows.ts';

/** How much there is to do in a project, found without a look at what is over. */
export async function readProjectStatus(em: EntityManager, projectId: string): Promise<ProjectStatus> {
  // Each state of tickets by itself: their index is looked into for one at a time, whatever the planner thinks of their number.
  const ticketsThatAre = (state: keyof ProjectStatus['tickets']) =>
    sql`select ${`ticket ${state}`}, count(*)::int from tickets where project_id = ${projectId} and state = ${state}`;
  const rows = await rowsOf(
    em,
    sql<{ name: string; count: number }>`
      select 'agent' as name, count(*)::int as count from agents a left join sessions s on s.agent_id = a.id and s.ended_at is null
        where a.project_id = ${projectId} and ${isLiving} and a.state <> 'terminated'
      union all ${ticketsThatAre('open')}
      union all ${ticketsThatAre('blocked')}
      union all select 'task ' || state, count(*)::int from tasks
        where project_id = ${projectId} and state in ('blocked', 'ready', 'running') group by state`,
  );
  const count = (name: string) => rows.find((row) => row.name === name)?.count ?? 0;
  return {
    agents: count('agent'),
    tickets: { open: count('ticket open'), blocked: count('ticket blocked') },
    tasks: { blocked: count('task blocked'), ready: count('task ready'), running: count('task running') },
  };
}
