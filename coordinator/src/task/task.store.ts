import {
  CoordinatorError,
  type Attempt,
  type JsonObject,
  type JsonValue,
  type Task,
  type TaskDetails,
  type TaskState,
} from '@baton/protocol';
import { type RawBuilder, sql } from 'kysely';
import type { EntityManager } from '../db/orm.ts';
import { firstIds, hasMore, pageOf } from '../db/page.ts';
import { findRow, rowsOf, toTimestamp } from '../db/rows.ts';
import type { Tx } from '../db/transaction.ts';

/** A task as the statements of this file return it, with nulls where the contract leaves a field out. */
type TaskRow = {
  readonly [F in Exclude<keyof Task, 'visit' | 'waitingForKey'>]-?: undefined extends Task[F]
    ? Exclude<Task[F], undefined> | null
    : Task[F];
} & {
  readonly visitNumber: number;
  readonly waitingKey: string | null;
};

const taskColumns = sql`
  t.id, t.ticket_id, t.phase, v.number as visit_number, t.ref, t.type, t.title, t.state, t.priority, c.capabilities, t.locks,
  array(select d.depends_on_id from task_dependencies d where d.task_id = t.id order by 1) as depends_on,
  array(select e.author_task_id from task_exclusions e where e.task_id = t.id order by 1) as not_by,
  t.pending_dependencies, t.attempt, t.max_attempts, t.timeout_ms, t.parent_task_id, t.agent_id, a.name as agent_name, t.waiting_key,
  t.progress, t.summary, t.error, t.reason, t.created_at, t.started_at, t.finished_at,
  (extract(epoch from t.run_at - clock_timestamp()) * 1000)::float8 as run_in_ms`;

const taskJoins = sql`join phase_visits v on v.id = t.visit_id join capability_sets c on c.id = t.capability_set_id left join agents a on a.id = t.agent_id`;
const taskTables = sql`tasks t ${taskJoins}`;

/** What the large fields of a task take: what is said of it, its locks, and an id for each task that it depends on or excludes. */
export const taskBytes = sql`octet_length(t.locks::text) + octet_length(coalesce(t.progress::text, '')) + octet_length(coalesce(t.summary, ''))
  + octet_length(coalesce(t.error::text, '')) + octet_length(coalesce(t.reason, ''))
  + 39 * ((select count(*) from task_dependencies d where d.task_id = t.id) + (select count(*) from task_exclusions e where e.task_id = t.id))`;

function toTask({ visitNumber, waitingKey, createdAt, startedAt, finishedAt, runInMs, notBy, ...same }: TaskRow): Task {
  return {
    ...withoutNulls(same),
    visit: visitNumber,
    createdAt: toTimestamp(createdAt),
    ...(waitingKey !== null && { waitingForKey: waitingKey }),
    ...(startedAt !== null && { startedAt: toTimestamp(startedAt) }),
    ...(finishedAt !== null && { finishedAt: toTimestamp(finishedAt) }),
    ...(['ready', 'blocked'].includes(same.state) && runInMs !== null && runInMs > 0 && { runInMs: Math.round(runInMs) }),
    ...(notBy !== null && notBy.length > 0 && { notBy }),
  };
}

type WithoutNulls<T> = { [F in keyof T as null extends T[F] ? never : F]: T[F] } & {
  [F in keyof T as null extends T[F] ? F : never]?: Exclude<T[F], null>;
};

const withoutNulls = <T extends object>(row: T): WithoutNulls<T> =>
  Object.fromEntries(Object.entries(row).filter(([, value]) => value !== null)) as WithoutNulls<T>;

export interface TaskQuery {
  readonly projectId: string;
  readonly ticketId?: string | undefined;
  readonly phase?: string | undefined;
  readonly states?: readonly TaskState[] | undefined;
  readonly after?: string | undefined;
  readonly limit: number;
}

/** The tasks of the project with these ids. */
export async function findTasks(em: EntityManager, projectId: string, ids: readonly string[]): Promise<Task[]> {
  if (ids.length === 0) return [];
  const rows = await rowsOf(
    em,
    sql<TaskRow>`select ${taskColumns} from ${taskTables} where t.id = any(${ids}::uuid[]) and t.project_id = ${projectId} order by t.id`,
  );
  return rows.map(toTask);
}

/** All tasks of a visit, in the order of submission. */
export async function listTasksOfVisit(em: EntityManager, visitId: string): Promise<Task[]> {
  const rows = await rowsOf(em, sql<TaskRow>`select ${taskColumns} from ${taskTables} where t.visit_id = ${visitId} order by t.id`);
  return rows.map(toTask);
}

/** A page of tasks in the order of submission, which is the order of their ids. */
export async function listTasks(
  em: EntityManager,
  { projectId, ticketId, phase, states, after, limit }: TaskQuery,
): Promise<{ tasks: Task[]; next?: string }> {
  const conditions = [sql`t.project_id = ${projectId}`];
  if (ticketId !== undefined) conditions.push(sql`t.ticket_id = ${ticketId}`);
  if (phase !== undefined) conditions.push(sql`t.phase = ${phase}`);
  if (states !== undefined) conditions.push(sql`t.state = any(${states}::text[])`);
  if (after !== undefined) conditions.push(sql`t.id > ${after}`);
  // Not state by state, for which each claim would have one more index to write: there is one for each state but that which most are in.
  const ids = firstIds({ table: sql`tasks t`, conditions, oneOf: [], order: 'asc', limit });
  const ordered = sql`select t.id, row_number() over (order by t.id) as place, ${taskBytes} as bytes
      from tasks t where t.id = any(array(${ids})) order by t.id`;
  const rows = await rowsOf(
    em,
    sql<TaskRow & { found: number }>`with page as (${pageOf(ordered, limit)}) select ${taskColumns}, p.found
      from page p join tasks t on t.id = p.id ${taskJoins} order by p.place`,
  );
  const tasks = rows.map(({ found: _, ...row }) => toTask(row));
  const last = tasks.at(-1);
  return { tasks, ...(hasMore(rows) && last !== undefined && { next: last.id }) };
}

type AttemptRow = { readonly [F in keyof Attempt]-?: undefined extends Attempt[F] ? Exclude<Attempt[F], undefined> | null : Attempt[F] };

const toAttempt = ({ startedAt, finishedAt, ...same }: AttemptRow): Attempt => ({
  ...withoutNulls(same),
  startedAt: toTimestamp(startedAt),
  ...(finishedAt !== null && { finishedAt: toTimestamp(finishedAt) }),
});

export async function getTask(em: EntityManager, projectId: string, taskId: string): Promise<TaskDetails> {
  const row = await findRow(
    em,
    sql<
      TaskRow & { input: JsonObject; output: JsonValue | null; hasOutput: boolean }
    >`select ${taskColumns}, t.input, t.output, t.output is not null as has_output
        from ${taskTables} where t.id = ${taskId} and t.project_id = ${projectId}`,
  );
  if (row === undefined) throw new CoordinatorError('task_not_found', { taskId });
  const attempts = await rowsOf(
    em,
    sql<AttemptRow>`select n.number, n.agent_id, a.name as agent_name, n.started_at, n.finished_at, n.lock_wait_ms, n.outcome, n.error
        from attempts n join agents a on a.id = n.agent_id where n.task_id = ${taskId} order by n.number`,
  );
  const { input, output, hasOutput, ...task } = row;
  return { ...toTask(task), input, ...(hasOutput && { output }), attempts: attempts.map(toAttempt) };
}

/** The states that tasks are in, by id. */
export async function listTaskStates(em: EntityManager, ids: readonly string[]): Promise<Map<string, TaskState>> {
  const rows = await rowsOf(em, sql<{ id: string; state: TaskState }>`select id, state from tasks where id = any(${ids}::uuid[])`);
  return new Map(rows.map(({ id, state }) => [id, state]));
}

/** A task whose row this transaction holds. */
export interface LockedTask {
  readonly id: string;
  readonly ticketId: string;
  readonly visitId: string;
  readonly visitNumber: number;
  readonly phase: string;
  readonly ref: string | null;
  readonly type: string;
  readonly title: string;
  readonly state: TaskState;
  readonly attempt: number;
  readonly attemptsUsed: number;
  readonly maxAttempts: number;
  readonly sessionId: string | null;
  readonly agentId: string | null;
}

/** The columns of a `LockedTask`, for statements that return one. */
export const lockedColumns = sql`t.id, t.ticket_id, t.visit_id, t.phase, t.ref, t.type, t.title, t.state, t.attempt, t.attempts_used, t.max_attempts, t.session_id, t.agent_id,
  (select v.number from phase_visits v where v.id = t.visit_id) as visit_number`;

/** Locks tasks of the project in the order of their ids, as every transaction does, so that none waits for another in a circle. */
export const lockTasks = ({ em, projectId }: Pick<Tx, 'em' | 'projectId'>, ids: readonly string[]): Promise<LockedTask[]> =>
  rowsOf(
    em,
    sql<LockedTask>`select ${lockedColumns} from tasks t where t.id = any(${ids}::uuid[]) and t.project_id = ${projectId} order by t.id for update`,
  );

export const lockOpenTasksOfVisit = (em: EntityManager, visitId: string): Promise<LockedTask[]> =>
  rowsOf(
    em,
    sql<LockedTask>`select ${lockedColumns} from tasks t where t.visit_id = ${visitId} and t.state in ('blocked', 'ready', 'running') order by t.id for update`,
  );

export const lockRunningTasksOfSession = (em: EntityManager, sessionId: string): Promise<LockedTask[]> =>
  rowsOf(
    em,
    sql<LockedTask>`select ${lockedColumns} from tasks t where t.session_id = ${sessionId} and t.state = 'running' order by t.id for update`,
  );

/**
 * The tasks in a state that depend on one, for the steps of a recursive statement. `offset 0` keeps the planner from joining
 * whole tables in every step, which it may find cheap before it has statistics: a chain has as many steps as tasks.
 */
export const dependentsOf = (id: RawBuilder<unknown>, state: TaskState): RawBuilder<unknown> =>
  sql`(select t.* from task_dependencies d cross join lateral (
          select t.id, t.title, t.on_dependency_failure from tasks t where t.id = d.task_id and t.state = ${state} offset 0
        ) t where d.depends_on_id = ${id} offset 0)`;

/** The facts of a task that its events carry. */
export const toTaskEvent = ({ id, ticketId, phase, ref, title }: Pick<LockedTask, 'id' | 'ticketId' | 'phase' | 'ref' | 'title'>) => ({
  taskId: id,
  ticketId,
  phase,
  title,
  ...(ref !== null && { ref }),
});

/** The facts of an attempt that its events carry. */
export const toAttemptEvent = (task: LockedTask, agentNames: ReadonlyMap<string, string>) => ({
  ...toTaskEvent(task),
  attempt: task.attempt,
  agentId: task.agentId ?? '',
  agentName: agentNames.get(task.agentId ?? '') ?? '',
});

export async function findAgentNames(em: EntityManager, tasks: readonly Pick<LockedTask, 'agentId'>[]): Promise<Map<string, string>> {
  const ids = [...new Set(tasks.flatMap(({ agentId }) => (agentId === null ? [] : [agentId])))];
  if (ids.length === 0) return new Map();
  const rows = await rowsOf(em, sql<{ id: string; name: string }>`select id, name from agents where id = any(${ids}::uuid[])`);
  return new Map(rows.map(({ id, name }) => [id, name]));
}
