import { CoordinatorError, type NewTask } from '@baton/protocol';
import { v7 as uuidv7 } from 'uuid';
import { checkNeeds } from '../agent/capability-rules.ts';
import { normaliseRequests } from '../lock/lock-key.ts';
import { type Dependency, resolveDependencies } from './graph-rules.ts';
import type { ExistingTask, PreparedSubmission, PreparedTask, TaskPlace } from './submit.store.ts';

/** Tasks of a visit, by id and by reference: the newest of those that rounds give one reference. */
export type NamedTasks = Map<string, Pick<ExistingTask, 'id' | 'title' | 'state'>>;

export interface Planned extends PreparedSubmission {
  /** Tasks that have ended without success and are depended on all the same. */
  readonly unsuccessful: readonly { readonly id: string; readonly reason: string }[];
}

/**
 * Decides about a submission before anything of it is written, and enters its tasks among the named, where the next one finds them. Where references may
 * repeat, a task with that of an earlier one takes its place, as in another round after a refusal.
 * @throws CoordinatorError where it contradicts itself or what is there
 */
export function planSubmission(
  named: NamedTasks,
  place: TaskPlace,
  tasks: readonly NewTask[],
  { refsMayRepeat }: { readonly refsMayRepeat: boolean },
): Planned {
  if (!refsMayRepeat) refuseRepeatedRefs(tasks, named);
  const dependencies = resolveDependencies(tasks, (name) => (named.get(name) ?? named.get(name.toLowerCase()))?.id);
  const ids = tasks.map(() => uuidv7());
  const prepared = tasks.map((task, index): PreparedTask => {
    const capabilities = capabilitiesOf(task);
    checkNeeds(capabilities, `tasks[${index}].capabilities`);
    const links = (dependencies[index] ?? []).map((link) => ({
      id: 'id' in link ? link.id : (ids[link.index] ?? ''),
      settled: 'id' in link && named.get(link.id)?.state === 'completed',
      excludesAuthor: link.excludesAuthor ?? false,
    }));
    const pending = links.filter(({ settled }) => !settled).length;
    return {
      id: ids[index] ?? '',
      task,
      capabilities,
      pending,
      title: task.title ?? task.ref ?? task.type,
      locks: normaliseRequests(task.locks),
      state: pending === 0 ? 'ready' : 'blocked',
      dependsOn: links,
    };
  });
  const unsuccessful = unsuccessfulAmong(dependencies, named);
  for (const { id, task, title, state } of prepared) {
    named.set(id, { id, title, state });
    if (task.ref !== undefined) named.set(task.ref, { id, title, state });
  }
  return { place, tasks: prepared, unsuccessful };
}

/** Without any named, the type is what an agent must offer. */
const capabilitiesOf = ({ type, capabilities }: Pick<NewTask, 'type' | 'capabilities'>): string[] =>
  capabilities === undefined || capabilities.length === 0 ? [type] : capabilities;

function refuseRepeatedRefs(tasks: readonly NewTask[], named: NamedTasks): void {
  for (const [index, { ref }] of tasks.entries()) {
    if (ref !== undefined && named.has(ref)) {
      throw new CoordinatorError('reference_duplicate', {
        ref,
        fields: [{ path: `tasks[${index}].ref`, message: `There is a task ${ref} in this phase already.` }],
      });
    }
  }
}

/** Tasks that were depended on after they had failed: what waits for them is decided about at once. */
function unsuccessfulAmong(dependencies: readonly (readonly Dependency[])[], named: NamedTasks): { id: string; reason: string }[] {
  const ids = new Set(dependencies.flat().flatMap((link) => ('id' in link ? [link.id] : [])));
  return [...ids].flatMap((id) => {
    const task = named.get(id);
    return task !== undefined && ['failed', 'cancelled', 'skipped'].includes(task.state)
      ? [{ id, reason: `${task.title} had ${task.state}` }]
      : [];
  });
}

export interface SubmitLimits {
  readonly taskDepthMax: number;
  readonly taskChildrenMax: number;
  readonly ticketTasksMax: number;
  readonly lockGrantsMax: number;
}

/** @throws CoordinatorError `limit_exceeded`, naming the field, the value, the limit and what to do */
export function refuseTooMany(
  { taskDepthMax, taskChildrenMax, ticketTasksMax }: Omit<SubmitLimits, 'lockGrantsMax'>,
  { depth, children, open, added }: { readonly depth: number; readonly children: number; readonly open: number; readonly added: number },
): void {
  if (depth > taskDepthMax)
    throw limitError('parent', {
      setting: 'taskDepthMax',
      limit: taskDepthMax,
      value: depth,
      message: `Tasks that submit tasks may be nested ${taskDepthMax} deep, and these would lie ${depth} deep. Submit them without a parent, or let a task nearer to the root do it.`,
    });
  if (children > taskChildrenMax)
    throw limitError('tasks', {
      setting: 'taskChildrenMax',
      limit: taskChildrenMax,
      value: children,
      message: `A task may submit ${taskChildrenMax} tasks in all its attempts, and this would make ${children}. Submit fewer, or let one of the children submit the rest.`,
    });
  refuseTooManyOpen({ ticketTasksMax }, { path: 'tasks', open, added });
}

/** Of the open tasks only as many need to have been counted as are too many. */
export function refuseTooManyOpen(
  { ticketTasksMax }: Pick<SubmitLimits, 'ticketTasksMax'>,
  { path, open, added }: { readonly path: string; readonly open: number; readonly added: number },
): void {
  if (open + added <= ticketTasksMax) return;
  throw limitError(path, {
    setting: 'ticketTasksMax',
    limit: ticketTasksMax,
    value: open + added,
    message: `A ticket may have ${ticketTasksMax} open tasks; it has ${open} or more, and these are ${added} more. Try again when some have ended.`,
  });
}

const limitError = (path: string, { message, ...facts }: { setting: string; limit: number; value: number; message: string }) =>
  new CoordinatorError('limit_exceeded', { ...facts, message, fields: [{ path, message }] });
