import { createHash } from 'node:crypto';
import type { LockRequest, NewTask, Priority, TaskState } from '@baton/protocol';
import { sql } from 'kysely';
import type { EntityManager } from '../db/orm.ts';
import { rowsOf } from '../db/rows.ts';
import { refsInInput } from './graph-rules.ts';

export interface ExistingTask {
  readonly id: string;
  readonly title: string;
  readonly state: TaskState;
}

/**
 * The tasks of a visit that a submission may mean, by id and by reference (the newest, where rounds repeat it). Their rows
 * are held, so that a task which is depended on cannot end unnoticed.
 */
export async function lockExistingTasks(em: EntityManager, visitId: string, tasks: readonly NewTask[]): Promise<Map<string, ExistingTask>> {
  const names = [
    ...new Set(
      tasks.flatMap((task, index) => [...task.dependsOn, ...refsInInput(task, index), ...(task.ref === undefined ? [] : [task.ref])]),
    ),
  ];
  if (names.length === 0) return new Map();
  const rows = await rowsOf(
    em,
    sql<ExistingTask & { ref: string | null }>`select id, ref, title, state from tasks
        where visit_id = ${visitId} and (ref = any(${names}::text[]) or id::text = any(${names.map((name) => name.toLowerCase())}::text[])) order by id for share`,
  );
  return new Map(
    rows.flatMap((row) => [[row.id, row], ...(row.ref === null ? [] : [[row.ref, row] as const])] as (readonly [string, ExistingTask])[]),
  );
}

/** The ids of the sets of capabilities, in the order given; new sets are made. */
export async function ensureCapabilitySets(em: EntityManager, projectId: string, sets: readonly (readonly string[])[]): Promise<number[]> {
  const digests = sets.map((set) => createHash('sha256').update(set.join('\n')).digest('hex'));
  const distinct = new Map(digests.map((digest, index) => [digest, sets[index] ?? []]));
  const rows = [...distinct].map(([digest, capabilities]) => ({ digest, capabilities })).toSorted((a, b) => (a.digest < b.digest ? -1 : 1));
  await rowsOf(
    em,
    sql`insert into capability_sets (project_id, digest, capabilities)
        select ${projectId}::uuid, x.digest, x.capabilities from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as x(digest text, capabilities text[])
        on conflict do nothing`,
  );
  const known = await rowsOf(
    em,
    sql<{
      id: number;
      digest: string;
    }>`select id, digest from capability_sets where project_id = ${projectId} and digest = any(${[...distinct.keys()]}::text[])`,
  );
  const ids = new Map(known.map(({ id, digest }) => [digest, id]));
  return digests.map((digest) => {
    const id = ids.get(digest);
    if (id === undefined) throw new Error('A capability set vanished between its making and its reading.');
    return id;
  });
}

/** How much older a task of a priority counts than it is: nothing starves, since time makes up for every bonus. */
const priorityBonus = { CRITICAL: '2 hours', HIGH: '1 hour', MEDIUM: '15 minutes', LOW: '0' } as const satisfies Record<Priority, string>;

export interface TaskPlace {
  readonly ticketId: string;
  readonly visitId: string;
  readonly phase: string;
  readonly priority: Priority;
  readonly depth: number;
  readonly parentTaskId?: string | undefined;
}

export interface PreparedTask {
  readonly id: string;
  readonly task: NewTask;
  readonly title: string;
  readonly capabilitySetId: number;
  readonly locks: readonly LockRequest[];
  readonly pending: number;
  readonly state: 'ready' | 'blocked';
  readonly dependsOn: readonly { readonly id: string; readonly settled: boolean }[];
}

/** Inserts tasks and their dependencies, a statement each. */
export async function insertTasks(em: EntityManager, projectId: string, place: TaskPlace, tasks: readonly PreparedTask[]): Promise<void> {
  const rows = tasks.map(({ id, task, title, capabilitySetId, locks, pending, state }) => {
    const priority = task.priority ?? place.priority;
    return {
      id,
      title,
      locks,
      pending,
      state,
      priority,
      ref: task.ref ?? null,
      type: task.type,
      input: task.input,
      bonus: priorityBonus[priority],
      set_id: capabilitySetId,
      on_failure: task.onDependencyFailure,
      max_attempts: task.maxAttempts,
      timeout_ms: task.timeoutMs,
    };
  });
  await rowsOf(
    em,
    sql`insert into tasks (id, project_id, ticket_id, visit_id, phase, ref, type, title, input, state, priority, rank, capability_set_id, locks,
          pending_dependencies, on_dependency_failure, max_attempts, timeout_ms, parent_task_id, depth)
        select x.id, ${projectId}::uuid, ${place.ticketId}::uuid, ${place.visitId}::uuid, ${place.phase}, x.ref, x.type, x.title, x.input, x.state, x.priority,
          clock_timestamp() - x.bonus, x.set_id, x.locks, x.pending, x.on_failure, x.max_attempts, x.timeout_ms, ${place.parentTaskId ?? null}::uuid, ${place.depth}::int
        from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as x(id uuid, ref text, type text, title text, input jsonb, state text, priority text, bonus interval,
          set_id int, locks jsonb, pending int, on_failure text, max_attempts int, timeout_ms int)`,
  );
  const links = tasks.flatMap(({ id, dependsOn }) => dependsOn.map((link) => ({ id, on: link.id, settled: link.settled })));
  if (links.length === 0) return;
  await rowsOf(
    em,
    sql`insert into task_dependencies (task_id, depends_on_id, settled)
        select x.id, x."on", x.settled from jsonb_to_recordset(${JSON.stringify(links)}::jsonb) as x(id uuid, "on" uuid, settled boolean)`,
  );
}
