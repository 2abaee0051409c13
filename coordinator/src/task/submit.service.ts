import { CoordinatorError, type NewTask, type Priority, type TaskState } from '@baton/protocol';
import { v7 as uuidv7 } from 'uuid';
import type { Tx } from '../db/transaction.ts';
import { normaliseRequests } from '../lock/lock-rules.ts';
import { holdTicket } from '../ticket/ticket.store.ts';
import { holdAttempt } from './fence.store.ts';
import { type Dependency, resolveDependencies } from './graph-rules.ts';
import { propagateFailure } from './propagate.ts';
import { ensureCapabilitySets, type ExistingTask, insertTasks, lockExistingTasks } from './submit.store.ts';

export interface SubmitLimits {
  readonly taskDepthMax: number;
}

export interface Submission {
  readonly ticketId: string;
  readonly phase?: string | undefined;
  readonly tasks: readonly NewTask[];
  readonly parent?: { readonly taskId: string; readonly attempt: number } | undefined;
  /** Whose attempt the parent has to be; undefined where the call belongs to no session. */
  readonly sessionId: string | undefined;
}

export interface SubmittedTask {
  readonly id: string;
  readonly ref?: string;
  readonly state: TaskState;
}

/** Adds a graph of tasks to the phase a ticket is in, all or none. */
export async function submitTasks(
  tx: Tx,
  limits: SubmitLimits,
  { ticketId, phase, tasks, parent, sessionId }: Submission,
): Promise<{ tasks: SubmittedTask[] }> {
  const ticket = await holdTicket(tx.em, tx.projectId, ticketId);
  if (ticket.state !== 'open' || (phase !== undefined && phase !== ticket.phase)) {
    throw new CoordinatorError('phase_closed', {
      ticketId,
      phase: ticket.phase,
      state: ticket.state,
      message: `It is in ${ticket.phase} and ${ticket.state}.`,
    });
  }
  const depth = parent === undefined ? 0 : await holdParent(tx, ticketId, { ...parent, sessionId });
  if (depth > limits.taskDepthMax)
    throw new CoordinatorError('limit_exceeded', { message: `Tasks that submit tasks may be nested ${limits.taskDepthMax} deep.` });

  return addTasks(
    tx,
    {
      ticketId,
      visitId: ticket.visitId,
      phase: ticket.phase,
      priority: ticket.priority,
      depth,
      parentTaskId: parent?.taskId,
      refsMayRepeat: false,
    },
    tasks,
  );
}

/** How deep the tasks lie that a running attempt submits. */
async function holdParent(
  tx: Tx,
  ticketId: string,
  parent: { taskId: string; attempt: number; sessionId: string | undefined },
): Promise<number> {
  const held = await holdAttempt(tx, parent);
  if (held.ticketId !== ticketId)
    throw new CoordinatorError('claim_stale', { taskId: parent.taskId, message: 'The task belongs to another ticket.' });
  return held.depth + 1;
}

export interface Place {
  readonly ticketId: string;
  readonly visitId: string;
  readonly phase: string;
  /** For tasks that name none. */
  readonly priority: Priority;
  readonly depth: number;
  readonly parentTaskId?: string | undefined;
  /** A task with the reference of an earlier one takes its place, as in another round after a refusal. */
  readonly refsMayRepeat: boolean;
}

/** Adds tasks to a visit that this transaction keeps open. */
export async function addTasks(tx: Tx, place: Place, tasks: readonly NewTask[]): Promise<{ tasks: SubmittedTask[] }> {
  const existing = await lockExistingTasks(tx.em, place.visitId, tasks);
  if (!place.refsMayRepeat) refuseRepeatedRefs(tasks, existing);
  const dependencies = resolveDependencies(tasks, (name) => (existing.get(name) ?? existing.get(name.toLowerCase()))?.id);

  const ids = tasks.map(() => uuidv7());
  const sets = await ensureCapabilitySets(tx.em, tx.projectId, tasks.map(capabilitiesOf));
  const byId = new Map([...existing.values()].map((task) => [task.id, task]));
  const rows = tasks.map((task, index) => {
    const links = dependencies[index] ?? [];
    const pending = links.filter((link) => isPending(link, byId)).length;
    return {
      id: ids[index] ?? '',
      task,
      title: task.title ?? task.ref ?? task.type,
      capabilitySetId: sets[index] ?? 0,
      locks: normaliseRequests(task.locks),
      pending,
      state: pending === 0 ? ('ready' as const) : ('blocked' as const),
      dependsOn: links.map((link) => ({ id: 'id' in link ? link.id : (ids[link.index] ?? ''), settled: !isPending(link, byId) })),
    };
  });
  await insertTasks(tx.em, tx.projectId, place, rows);
  tx.record('task.submitted', {
    ticketId: place.ticketId,
    phase: place.phase,
    taskCount: tasks.length,
    ...(place.parentTaskId !== undefined && { parentTaskId: place.parentTaskId }),
  });
  if (rows.some(({ state }) => state === 'ready')) tx.hints.tasks = true;
  await propagateFailure(tx, unsuccessfulAmong(dependencies, byId));
  return { tasks: rows.map(({ id, task, state }) => ({ id, state, ...(task.ref !== undefined && { ref: task.ref }) })) };
}

/** Without any named, the type is what an agent must offer. */
export const capabilitiesOf = ({ type, capabilities }: Pick<NewTask, 'type' | 'capabilities'>): string[] =>
  capabilities === undefined || capabilities.length === 0 ? [type] : capabilities;

const isPending = (link: Dependency, existing: ReadonlyMap<string, ExistingTask>): boolean =>
  !('id' in link) || existing.get(link.id)?.state !== 'completed';

function refuseRepeatedRefs(tasks: readonly NewTask[], existing: ReadonlyMap<string, ExistingTask>): void {
  for (const [index, { ref }] of tasks.entries()) {
    if (ref !== undefined && existing.has(ref)) {
      throw new CoordinatorError('reference_duplicate', {
        ref,
        fields: [{ path: `tasks[${index}].ref`, message: `There is a task ${ref} in this phase already.` }],
      });
    }
  }
}

/** Tasks that were depended on after they had failed: what waits for them is decided about at once. */
function unsuccessfulAmong(
  dependencies: readonly (readonly Dependency[])[],
  existing: ReadonlyMap<string, ExistingTask>,
): { id: string; reason: string }[] {
  const ids = new Set(dependencies.flat().flatMap((link) => ('id' in link ? [link.id] : [])));
  return [...ids].flatMap((id) => {
    const task = existing.get(id);
    return task !== undefined && ['failed', 'cancelled', 'skipped'].includes(task.state)
      ? [{ id, reason: `${task.title} had ${task.state}` }]
      : [];
  });
}
