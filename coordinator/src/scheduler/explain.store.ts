import { type Agent, CoordinatorError, type LockRequest, type TaskState } from '@baton/protocol';
import { sql } from 'kysely';
import type { EntityManager } from '../db/orm.ts';
import { findRow, rowsOf } from '../db/rows.ts';
import type { AgentFacts, Doer, Offer } from '../task/match-rules.ts';
import { authorIds, isClaimable, isOffered, isPutOff } from '../task/match.store.ts';

/** What is to be known of a task to say why it does not run. */
export interface TaskFacts extends Offer {
  readonly taskId: string;
  readonly ticketId: string;
  readonly title: string;
  readonly state: TaskState;
  readonly phase: string;
  /** What it needs. */
  readonly capabilities: readonly string[];
  /** Ready and due, and not known to wait for a lock. */
  readonly isClaimable: boolean;
  readonly isPhaseOpen: boolean;
  /** What it declares. */
  readonly locks: readonly LockRequest[];
  /** The lock that it was found to wait for. */
  readonly waitingKey: string | null;
  readonly runInMs: number;
  readonly reservedForName: string | null;
  readonly reservedInMs: number | null;
  readonly agentName: string | null;
  readonly reason: string | null;
}

const taskColumns = sql`t.id as task_id, t.ticket_id, t.title, t.state, t.phase, c.capabilities, (${isClaimable}) as is_claimable, v.left_at is null as is_phase_open, t.locks, t.waiting_key,
  (extract(epoch from t.run_at - statement_timestamp()) * 1000)::float8 as run_in_ms, ${authorIds} as author_ids, r.id as reserved_for, r.name as reserved_for_name,
  case when r.id is not null then (extract(epoch from t.reserved_until - statement_timestamp()) * 1000)::float8 end as reserved_in_ms,
  a.name as agent_name, coalesce(t.reason, t.error->>'message') as reason`;
const taskTables = sql`join capability_sets c on c.id = t.capability_set_id join phase_visits v on v.id = t.visit_id
  left join agents a on a.id = t.agent_id left join agents r on r.id = t.reserved_for and t.reserved_until > statement_timestamp()`;

export async function getTaskFacts(em: EntityManager, projectId: string, taskId: string): Promise<TaskFacts> {
  const row = await findRow(
    em,
    sql<TaskFacts>`select ${taskColumns} from tasks t ${taskTables} where t.id = ${taskId} and t.project_id = ${projectId}`,
  );
  if (row === undefined) throw new CoordinatorError('task_not_found', { taskId });
  return row;
}

/** Those of the tasks that there are, in the order of rank. */
export const listTaskFacts = (
  em: EntityManager,
  { projectId, taskIds }: { readonly projectId: string; readonly taskIds: readonly string[] },
): Promise<TaskFacts[]> =>
  rowsOf(
    em,
    sql<TaskFacts>`select ${taskColumns} from tasks t ${taskTables} where t.project_id = ${projectId} and t.id = any(${taskIds}::uuid[]) order by t.rank, t.id`,
  );

/**
 * Ready tasks, whether they may be handed out now or wait for their time or a lock: those of the given sets first, each in the
 * order of rank.
 */
export const listReadyFacts = (
  em: EntityManager,
  { projectId, setIds, limit }: { readonly projectId: string; readonly setIds: readonly number[]; readonly limit: number },
): Promise<TaskFacts[]> =>
  rowsOf(
    em,
    sql<TaskFacts>`select ${taskColumns} from (
          select f.* from capability_sets s cross join lateral (
            select t.* from tasks t where t.project_id = ${projectId} and t.capability_set_id = s.id and ${isOffered} order by t.rank, t.id limit ${limit}) f
          where s.project_id = ${projectId}
          union all
          select * from (select t.* from tasks t where t.project_id = ${projectId} and ${isPutOff} and t.waiting_key is null
            order by greatest(t.run_at, t.reserved_until) limit ${limit}) p
          union all
          select * from (select * from tasks where project_id = ${projectId} and state = 'ready' and waiting_key is not null order by rank, id limit ${limit}) w
        ) t ${taskTables} order by t.capability_set_id = any(${setIds}::int[]) desc, t.rank, t.id limit ${limit}`,
  );

export interface NamedTask {
  readonly taskId: string;
  readonly title: string;
  readonly state: TaskState;
}

/** What a task waits for, in the order of submission. */
export const listPendingDependencies = (em: EntityManager, taskId: string): Promise<NamedTask[]> =>
  rowsOf(
    em,
    sql<NamedTask>`select p.id as task_id, p.title, p.state from task_dependencies d join tasks p on p.id = d.depends_on_id
        where d.task_id = ${taskId} and not d.settled order by p.id`,
  );

export interface AuthorTask extends NamedTask {
  readonly forTaskId: string;
  readonly agentId: string | null;
}

/** The tasks whose authors may not do these. */
export const listAuthorTasks = (em: EntityManager, taskIds: readonly string[]): Promise<AuthorTask[]> =>
  rowsOf(
    em,
    sql<AuthorTask>`select e.task_id as for_task_id, o.id as task_id, o.title, o.state, o.agent_id
        from task_exclusions e join tasks o on o.id = e.author_task_id where e.task_id = any(${taskIds}::uuid[]) order by o.id`,
  );

/** What is to be known of an agent to say why it is given nothing. */
export interface AgentRowFacts extends AgentFacts, Doer {
  readonly agentName: string;
  readonly state: Agent['state'];
  readonly stateReason: string | null;
  readonly sessionId: string | null;
  readonly silenceMs: number | null;
}

const agentColumns = sql`a.id as agent_id, a.name as agent_name, a.capabilities, a.state, a.state_reason, a.available, a.capacity, s.id as session_id,
  coalesce(s.lease_until > statement_timestamp(), false) as living, (extract(epoch from statement_timestamp() - s.last_seen_at) * 1000)::float8 as silence_ms,
  (select count(*)::int from tasks t where t.session_id = s.id and t.state = 'running') as running`;
const agentTables = sql`agents a left join sessions s on s.agent_id = a.id and s.ended_at is null`;

export async function getAgentFacts(em: EntityManager, projectId: string, agentId: string): Promise<AgentRowFacts> {
  const row = await findRow(
    em,
    sql<AgentRowFacts>`select ${agentColumns} from ${agentTables} where a.id = ${agentId} and a.project_id = ${projectId}`,
  );
  if (row === undefined) throw new CoordinatorError('agent_not_found', { agentId });
  return row;
}

/** Agents of a project: those first that offer most of the names, then those with a session, then by name. */
export const listAgentFacts = (
  em: EntityManager,
  { projectId, names, limit }: { readonly projectId: string; readonly names: readonly string[]; readonly limit: number },
): Promise<(AgentRowFacts & { total: number })[]> =>
  rowsOf(
    em,
    sql<
      AgentRowFacts & { total: number }
    >`select ${agentColumns}, count(*) over ()::int as total from ${agentTables} where a.project_id = ${projectId}
        order by (select count(*) from unnest(${names}::text[]) n where not n = any(a.capability_names)), s.id is null, a.name limit ${limit}`,
  );

/** The agents of these sessions, of one project. */
export const listAgentsOfSessions = (em: EntityManager, projectId: string, sessionIds: readonly string[]): Promise<AgentRowFacts[]> =>
  rowsOf(
    em,
    sql<AgentRowFacts>`select ${agentColumns} from ${agentTables} where a.project_id = ${projectId} and s.id = any(${sessionIds}::uuid[])`,
  );
