import type { LockRequest, NewTask, Priority, TaskState } from '@baton/protocol';
import { sql } from 'kysely';
import type { EntityManager } from '../db/orm.ts';
import { rowsOf } from '../db/rows.ts';
import type { Tx } from '../db/transaction.ts';
import { ensureCapabilitySets } from './capability-set.store.ts';

export interface ExistingTask {
  readonly id: string;
  readonly visitId: string;
  readonly ticketId: string;
  readonly ref: string | null;
  readonly title: string;
  readonly state: TaskState;
  readonly attempt: number;
  readonly sessionId: string | null;
  readonly depth: number;
  readonly children: number;
}

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/**
 * The tasks of visits that submissions may mean, by reference or by id, and the parents that they name, in the order of their
 * ids. Their rows are held, so that a task which is depended on cannot end unnoticed and children are counted in turn.
 */
export async function lockNamedTasks(
  { em, projectId }: Pick<Tx, 'em' | 'projectId'>,
  named: readonly { readonly visitId: string; readonly name: string }[],
  parentIds: readonly string[],
): Promise<ExistingTask[]> {
  if (named.length === 0 && parentIds.length === 0) return [];
  const byId = named.filter(({ name }) => uuid.test(name));
  return rowsOf(
    em,
    sql<ExistingTask>`select t.id, t.visit_id, t.ticket_id, t.ref, t.title, t.state, t.attempt, t.session_id, t.depth, t.children from tasks t
        where t.id in (
          select n.id from jsonb_to_recordset(${JSON.stringify(named)}::jsonb) as x("visitId" uuid, name text)
            join tasks n on n.visit_id = x."visitId" and n.ref = x.name
          union
          select n.id from jsonb_to_recordset(${JSON.stringify(byId)}::jsonb) as x("visitId" uuid, name uuid)
            join tasks n on n.id = x.name and n.visit_id = x."visitId"
          union
          select p.id from tasks p where p.id = any(${parentIds}::uuid[]) and p.project_id = ${projectId}
        ) order by t.id for no key update`,
  );
}

/** How much older a task of a priority counts than it is: nothing starves, since time makes up for every bonus. */
export const priorityBonus = { CRITICAL: '2 hours', HIGH: '1 hour', MEDIUM: '15 minutes', LOW: '0' } as const satisfies Record<
  Priority,
  string
>;

export interface TaskPlace {
  readonly ticketId: string;
  readonly visitId: string;
  readonly phase: string;
  /** For tasks that name none. */
  readonly priority: Priority;
  readonly depth: number;
  readonly parentTaskId?: string | undefined;
}

export interface PreparedTask {
  readonly id: string;
  readonly task: NewTask;
  readonly title: string;
  readonly capabilities: readonly string[];
  readonly locks: readonly LockRequest[];
  readonly pending: number;
  readonly state: 'ready' | 'blocked';
  readonly dependsOn: readonly { readonly id: string; readonly settled: boolean; readonly excludesAuthor: boolean }[];
}

export interface PreparedSubmission {
  readonly place: TaskPlace;
  readonly tasks: readonly PreparedTask[];
}

/** For how many different moments a transaction has others told that tasks may run; the slow look finds the rest. */
export const momentsTold = 100;

/**
 * Inserts the tasks of submissions with their dependencies and exclusions, a statement each.
 * @returns in how many ms those tasks may run that are ready but for their time
 */
export async function insertTasks(tx: Tx, submissions: readonly PreparedSubmission[]): Promise<number[]> {
  const sets = await ensureCapabilitySets(
    tx.em,
    tx.projectId,
    submissions.flatMap(({ tasks }) => tasks.map(({ capabilities }) => capabilities)),
  );
  const rows = submissions
    .flatMap(({ place, tasks }, index) => tasks.map((task) => ({ ...task, place, index })))
    .map(({ task, place, index, id, title, locks, pending, state }, position) => {
      const priority = task.priority ?? place.priority;
      return {
        id,
        title,
        locks,
        pending,
        state,
        priority,
        place: index,
        ref: task.ref ?? null,
        type: task.type,
        input: task.input,
        bonus: priorityBonus[priority],
        set_id: sets[position],
        on_failure: task.onDependencyFailure,
        max_attempts: task.maxAttempts,
        timeout_ms: task.timeoutMs,
        run_at: task.runAt,
        delay_ms: task.delayMs,
      };
    });
  const places = submissions.map(({ place }, index) => ({ n: index, ...place }));
  // What waits for its time ages from then on, and stands behind all that may run before.
  const waits = await rowsOf(
    tx.em,
    sql<{ runInMs: number }>`with made as (
          insert into tasks (id, project_id, ticket_id, visit_id, phase, ref, type, title, input, state, priority, rank, capability_set_id, locks,
            pending_dependencies, on_dependency_failure, max_attempts, timeout_ms, parent_task_id, depth, run_at, delayed)
          select x.id, ${tx.projectId}::uuid, p."ticketId", p."visitId", p.phase, x.ref, x.type, x.title, x.input, x.state, x.priority,
            greatest(clock_timestamp(), due.at) - x.bonus, x.set_id, x.locks, x.pending, x.on_failure, x.max_attempts, x.timeout_ms, p."parentTaskId", p.depth,
            coalesce(due.at, clock_timestamp()), coalesce(due.at > clock_timestamp(), false)
          from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as x(id uuid, place int, ref text, type text, title text, input jsonb, state text, priority text,
              bonus interval, set_id int, locks jsonb, pending int, on_failure text, max_attempts int, timeout_ms int, run_at timestamptz, delay_ms float8)
            join jsonb_to_recordset(${JSON.stringify(places)}::jsonb) as p(n int, "ticketId" uuid, "visitId" uuid, phase text, "parentTaskId" uuid, depth int) on p.n = x.place
            cross join lateral (select coalesce(x.run_at, clock_timestamp() + x.delay_ms * interval '1 millisecond') as at) due
          returning state, run_at
        )
        select distinct ceil(extract(epoch from run_at - clock_timestamp()) * 1000)::float8 as run_in_ms from made
        where state = 'ready' and run_at > clock_timestamp() order by 1 limit ${momentsTold}`,
  );
  const links = submissions.flatMap(({ tasks }) =>
    tasks.flatMap(({ id, dependsOn }) => dependsOn.map(({ id: on, settled, excludesAuthor }) => ({ id, on, settled, excludesAuthor }))),
  );
  await insertLinks(tx.em, links);
  return waits.map(({ runInMs }) => runInMs);
}

interface Link {
  readonly id: string;
  readonly on: string;
  readonly settled: boolean;
  readonly excludesAuthor: boolean;
}

async function insertLinks(em: EntityManager, links: readonly Link[]): Promise<void> {
  if (links.length === 0) return;
  await rowsOf(
    em,
    sql`insert into task_dependencies (task_id, depends_on_id, settled)
        select x.id, x."on", x.settled from jsonb_to_recordset(${JSON.stringify(links)}::jsonb) as x(id uuid, "on" uuid, settled boolean)`,
  );
  const exclusions = links.filter(({ excludesAuthor }) => excludesAuthor);
  if (exclusions.length === 0) return;
  await rowsOf(
    em,
    sql`insert into task_exclusions (task_id, author_task_id)
        select x.id, x."on" from jsonb_to_recordset(${JSON.stringify(exclusions)}::jsonb) as x(id uuid, "on" uuid)`,
  );
}

/** Counts the children that attempts have submitted. Their rows are held. */
export const countChildren = (
  em: EntityManager,
  parents: readonly { readonly taskId: string; readonly added: number }[],
): Promise<unknown[]> =>
  rowsOf(
    em,
    sql`update tasks t set children = t.children + x.added
        from (select "taskId", sum(added)::int as added from jsonb_to_recordset(${JSON.stringify(parents)}::jsonb) as x("taskId" uuid, added int) group by 1) x
        where t.id = x."taskId"`,
  );
