import { CoordinatorError, type Priority, type TaskState } from '@baton/protocol';
import { type RawBuilder, sql } from 'kysely';
import type { EntityManager } from '../db/orm.ts';
import { rowsOf } from '../db/rows.ts';
import { isClaimable, isOffered, isPutOff } from '../task/match.store.ts';

export interface ReadyRow {
  readonly taskId: string;
  readonly ticketId: string;
  readonly phase: string;
  readonly ref: string | null;
  readonly type: string;
  readonly title: string;
  readonly priority: Priority;
  readonly capabilities: string[];
  readonly reservedFor: string | null;
  readonly reservedForName: string | null;
  readonly reservedInMs: number | null;
}

export interface ReadyQuery {
  readonly projectId: string;
  readonly ticketId?: string | undefined;
  /** Only tasks that need one of these sets; those of all sets if none are given. */
  readonly setIds?: readonly number[] | undefined;
  readonly limit: number;
}

/** The tasks that may be handed out now, in the order of rank. Of each set no more are looked at than are asked for. */
export function listReady(em: EntityManager, query: ReadyQuery): Promise<ReadyRow[]> {
  const { projectId, ticketId, setIds, limit } = query;
  const ofSets = setIds === undefined ? sql`` : sql`and s.id = any(${setIds}::int[])`;
  // Of one ticket there are few, and its own index finds them; of a project there may be a million.
  const claimable =
    ticketId === undefined ? claimableOfProject(query) : sql`select t.* from tasks t where t.ticket_id = ${ticketId} and ${isClaimable}`;
  return rowsOf(
    em,
    sql<ReadyRow>`select t.id as task_id, t.ticket_id, t.phase, t.ref, t.type, t.title, t.priority, s.capabilities, a.id as reserved_for, a.name as reserved_for_name,
          case when a.id is not null then (extract(epoch from t.reserved_until - clock_timestamp()) * 1000)::float8 end as reserved_in_ms
        from (${claimable}) t join capability_sets s on s.id = t.capability_set_id
          left join agents a on a.id = t.reserved_for and t.reserved_until > clock_timestamp()
        where s.project_id = ${projectId} ${ofSets} order by t.rank, t.id limit ${limit}`,
  );
}

/** In the scan; kept for somebody, which are no more than there are slots; and due, but not yet put into the scan again. */
const claimableOfProject = ({ projectId, setIds, limit }: ReadyQuery): RawBuilder<unknown> =>
  sql`select o.* from capability_sets c cross join lateral (
      select t.* from tasks t where t.project_id = ${projectId} and t.capability_set_id = c.id and ${isOffered} order by t.rank, t.id limit ${limit}) o
    where c.project_id = ${projectId} ${setIds === undefined ? sql`` : sql`and c.id = any(${setIds}::int[])`}
    union all
    select t.* from tasks t where t.project_id = ${projectId} and ${isClaimable} and t.reserved_for is not null
    union all
    select * from (select t.* from tasks t where t.project_id = ${projectId} and ${isClaimable} and ${isPutOff} and t.reserved_for is null
      and greatest(t.run_at, t.reserved_until) <= statement_timestamp() order by greatest(t.run_at, t.reserved_until) limit ${limit}) due`;

export interface GraphRow {
  readonly taskId: string;
  readonly ref: string | null;
  readonly title: string;
  readonly type: string;
  readonly state: TaskState;
  readonly pendingDependencies: number;
  readonly dependsOn: string[];
  readonly ranMs: number | null;
  /** It may be handed out now. */
  readonly isReady: boolean;
  /** How long it is until it may run at all, in ms. */
  readonly waitMs: number;
}

export interface GraphQuery {
  readonly projectId: string;
  readonly ticketId: string;
  readonly phase?: string | undefined;
  readonly tasksMax: number;
}

/**
 * All tasks of a ticket, or of a phase of it, with what they depend on, in the order of submission.
 * @throws CoordinatorError `limit_exceeded` where there are more than may be
 */
export async function listGraph(em: EntityManager, { projectId, ticketId, phase, tasksMax }: GraphQuery): Promise<GraphRow[]> {
  const ofPhase = phase === undefined ? sql`` : sql`and t.phase = ${phase}`;
  const rows = await rowsOf(
    em,
    sql<GraphRow>`select t.id as task_id, t.ref, t.title, t.type, t.state, t.pending_dependencies,
          array(select d.depends_on_id from task_dependencies d where d.task_id = t.id order by 1) as depends_on,
          case when t.state = 'completed' then (extract(epoch from t.finished_at - t.started_at) * 1000)::float8
               when t.state = 'running' then (extract(epoch from clock_timestamp() - t.started_at) * 1000)::float8 end as ran_ms,
          (${isClaimable}) as is_ready, (extract(epoch from greatest(t.run_at - statement_timestamp(), interval '0')) * 1000)::float8 as wait_ms
        from tasks t where t.project_id = ${projectId} and t.ticket_id = ${ticketId} ${ofPhase} order by t.id limit ${tasksMax + 1}`,
  );
  if (rows.length <= tasksMax) return rows;
  throw new CoordinatorError('limit_exceeded', {
    ticketId,
    message: `The graph has more than ${tasksMax} tasks${phase === undefined ? '; name a phase' : ''}.`,
  });
}

/** Refuses ids that name nothing in the project. */
export async function requireAll(
  em: EntityManager,
  {
    projectId,
    taskIds = [],
    agentIds = [],
  }: { projectId: string; taskIds?: readonly string[] | undefined; agentIds?: readonly string[] | undefined },
): Promise<void> {
  const found = await rowsOf(
    em,
    sql<{ id: string }>`select id from tasks where project_id = ${projectId} and id = any(${taskIds}::uuid[])
        union all select id from agents where project_id = ${projectId} and id = any(${agentIds}::uuid[])`,
  );
  const known = new Set(found.map(({ id }) => id));
  for (const taskId of taskIds) if (!known.has(taskId.toLowerCase())) throw new CoordinatorError('task_not_found', { taskId });
  for (const agentId of agentIds) if (!known.has(agentId.toLowerCase())) throw new CoordinatorError('agent_not_found', { agentId });
}
