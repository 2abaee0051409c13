import {
  CoordinatorError,
  type Attempt,
  type AttemptOutcome,
  type JsonObject,
  type JsonValue,
  type LockRequest,
  type Priority,
  type Task,
  type TaskDetails,
  type TaskError,
  type TaskState,
} from '@baton/protocol';
import { sql } from 'kysely';
import type { EntityManager } from '../db/orm.ts';
import { findRow, rowsOf, toTimestamp } from '../db/rows.ts';
import type { Tx } from '../db/transaction.ts';

interface TaskRow {
  readonly id: string;
  readonly ticketId: string;
  readonly phase: string;
  readonly visitNumber: number;
  readonly ref: string | null;
  readonly type: string;
  readonly title: string;
  readonly state: TaskState;
  readonly priority: Priority;
  readonly capabilities: string[];
  readonly locks: LockRequest[];
  readonly dependsOn: string[];
  readonly pendingDependencies: number;
  readonly attempt: number;
  readonly maxAttempts: number;
  readonly timeoutMs: number;
  readonly parentTaskId: string | null;
  readonly agentId: string | null;
  readonly agentName: string | null;
  readonly waitingKey: string | null;
  readonly progress: Task['progress'] | null;
  readonly summary: string | null;
  readonly error: TaskError | null;
  readonly reason: string | null;
  readonly createdAt: string;
  readonly startedAt: string | null;
  readonly finishedAt: string | null;
  readonly runInMs: number;
}

const taskColumns = sql`
  t.id, t.ticket_id, t.phase, v.number as visit_number, t.ref, t.type, t.title, t.state, t.priority, c.capabilities, t.locks,
  array(select d.depends_on_id from task_dependencies d where d.task_id = t.id order by 1) as depends_on,
  t.pending_dependencies, t.attempt, t.max_attempts, t.timeout_ms, t.parent_task_id, t.agent_id, a.name as agent_name, t.waiting_key,
  t.progress, t.summary, t.error, t.reason, t.created_at, t.started_at, t.finished_at,
  (extract(epoch from t.run_at - clock_timestamp()) * 1000)::float8 as run_in_ms`;

const taskTables = sql`tasks t join phase_visits v on v.id = t.visit_id join capability_sets c on c.id = t.capability_set_id left join agents a on a.id = t.agent_id`;

function toTask(row: TaskRow): Task {
  const {
    id,
    ticketId,
    phase,
    type,
    title,
    state,
    priority,
    capabilities,
    locks,
    dependsOn,
    pendingDependencies,
    attempt,
    maxAttempts,
    timeoutMs,
  } = row;
  return {
    id,
    ticketId,
    phase,
    type,
    title,
    state,
    priority,
    capabilities,
    locks,
    dependsOn,
    pendingDependencies,
    attempt,
    maxAttempts,
    timeoutMs,
    visit: row.visitNumber,
    createdAt: toTimestamp(row.createdAt),
    ...(row.ref !== null && { ref: row.ref }),
    ...(row.parentTaskId !== null && { parentTaskId: row.parentTaskId }),
    ...(row.agentId !== null && { agentId: row.agentId }),
    ...(row.agentName !== null && { agentName: row.agentName }),
    ...(row.waitingKey !== null && { waitingForKey: row.waitingKey }),
    ...(row.progress !== null && { progress: row.progress }),
    ...(row.summary !== null && { summary: row.summary }),
    ...(row.error !== null && { error: row.error }),
    ...(row.reason !== null && { reason: row.reason }),
    ...(row.startedAt !== null && { startedAt: toTimestamp(row.startedAt) }),
    ...(row.finishedAt !== null && { finishedAt: toTimestamp(row.finishedAt) }),
    ...(state === 'ready' && row.runInMs > 0 && { runInMs: row.runInMs }),
  };
}

export interface TaskQuery {
  readonly projectId: string;
  readonly ticketId?: string | undefined;
  readonly phase?: string | undefined;
  readonly states?: readonly TaskState[] | undefined;
  readonly after?: string | undefined;
  readonly limit: number;
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
  const rows = await rowsOf(
    em,
    sql<TaskRow>`select ${taskColumns} from ${taskTables} where ${sql.join(conditions, sql` and `)} order by t.id limit ${limit + 1}`,
  );
  const page = rows.slice(0, limit).map(toTask);
  const last = page.at(-1);
  return { tasks: page, ...(rows.length > limit && last !== undefined && { next: last.id }) };
}

interface AttemptRow {
  readonly number: number;
  readonly agentId: string;
  readonly agentName: string;
  readonly startedAt: string;
  readonly finishedAt: string | null;
  readonly lockWaitMs: number;
  readonly outcome: AttemptOutcome | null;
  readonly error: TaskError | null;
}

const toAttempt = ({ number, agentId, agentName, startedAt, finishedAt, lockWaitMs, outcome, error }: AttemptRow): Attempt => ({
  number,
  agentId,
  agentName,
  lockWaitMs,
  startedAt: toTimestamp(startedAt),
  ...(finishedAt !== null && { finishedAt: toTimestamp(finishedAt) }),
  ...(outcome !== null && { outcome }),
  ...(error !== null && { error }),
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
  return { ...toTask(row), input: row.input, ...(row.hasOutput && { output: row.output }), attempts: attempts.map(toAttempt) };
}

export const findTaskState = (em: EntityManager, projectId: string, taskId: string): Promise<LockedTask | undefined> =>
  findRow(em, sql<LockedTask>`select ${lockedColumns} from tasks t where t.id = ${taskId} and t.project_id = ${projectId} for update`);

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
