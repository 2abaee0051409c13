import { CoordinatorError, type NewTask, type TaskState } from '@baton/protocol';
import { type CallOutcome, outcomeOf } from '../db/outcome.ts';
import type { Tx } from '../db/transaction.ts';
import { type HeldTicket, holdTickets } from '../ticket/ticket.store.ts';
import { namesIn } from './graph-rules.ts';
import { countOpenTasksOf, raiseOpenTaskBounds, writeOpenTaskBounds } from './open-tasks.store.ts';
import { propagateFailure } from './propagate.ts';
import { refuseTooManyGrants } from '../lock/lock-key.ts';
import { type NamedTasks, type Planned, planSubmission, refuseTooMany, type SubmitLimits } from './submit-rules.ts';
import { countChildren, type ExistingTask, insertTasks, lockNamedTasks, type TaskPlace } from './submit.store.ts';
import { listTaskStates } from './task.store.ts';

export interface NewSubmission {
  readonly ticketId: string;
  readonly phase?: string | undefined;
  readonly tasks: readonly NewTask[];
  readonly parent?: { readonly taskId: string; readonly attempt: number } | undefined;
}

export interface Submission extends NewSubmission {
  /** Whose attempt the parent has to be; undefined where the call belongs to no session. */
  readonly sessionId: string | undefined;
}

export interface Submitted {
  readonly tasks: { readonly id: string; readonly ref?: string; readonly state: TaskState }[];
}

/**
 * Adds graphs of tasks to the phases that their tickets are in, each all or none. Each is decided about before anything is
 * written, after those before it: one that is refused changes nothing and holds no other up.
 */
export async function submitTasks(tx: Tx, limits: SubmitLimits, submissions: readonly Submission[]): Promise<CallOutcome<Submitted>[]> {
  const board = await openBoard(tx, limits, submissions);
  const plans = submissions.map((submission) => outcomeOf(() => planOne(board, limits, submission)));
  const answers = await writePlans(
    tx,
    plans.flatMap((plan) => ('ok' in plan ? [plan.ok] : [])),
  );
  const corrected = [...board.visits].filter(([id, { openBound }]) => openBound !== board.written.get(id));
  if (corrected.length > 0) await writeOpenTaskBounds(tx.em, new Map(corrected.map(([id, { openBound }]) => [id, openBound])));
  let next = 0;
  return plans.map((plan) => ('ok' in plan ? { ok: answers[next++] ?? { tasks: [] } } : plan));
}

/** A visit that tasks are added to. */
interface VisitBoard {
  readonly named: NamedTasks;
  /** How many tasks may be open in it at most. Grows as submissions are planned. */
  openBound: number;
  /** The same, or as many as were counted before it was clear that there is no room. Grows likewise. */
  open: number;
}

/** What submissions are judged by: read once for all of them, and held until the transaction ends. */
interface Board {
  readonly tickets: ReadonlyMap<string, HeldTicket>;
  readonly visits: ReadonlyMap<string, VisitBoard>;
  /** What stands in the rows of the visits as the bounds of their open tasks: right unless something is refused. */
  readonly written: ReadonlyMap<string, number>;
  /** By id; how many children each has grows as submissions are planned. */
  readonly parents: ReadonlyMap<string, ExistingTask & { children: number }>;
}

// In the order that every transaction keeps: tickets, visits, tasks by id.
async function openBoard(tx: Tx, { ticketTasksMax }: SubmitLimits, submissions: readonly Submission[]): Promise<Board> {
  const tickets = await holdTickets(
    tx.em,
    tx.projectId,
    submissions.map(({ ticketId }) => ticketId),
  );
  const added = new Map<string, number>();
  const named = submissions.flatMap(({ ticketId, tasks }) => {
    const visitId = tickets.get(ticketId)?.visitId;
    if (visitId === undefined) return [];
    added.set(visitId, (added.get(visitId) ?? 0) + tasks.length);
    // What cannot be read is refused when the submission is planned.
    const names = outcomeOf(() => namesIn(tasks));
    return 'ok' in names ? names.ok.map((name) => ({ visitId, name })) : [];
  });
  const bounds = await raiseOpenTaskBounds(tx.em, added);
  const written = new Map([...bounds].map(([id, before]) => [id, before + (added.get(id) ?? 0)]));
  // Where even the smallest of the submissions is too much, the rest need not be counted.
  const smallest = new Map<string, number>();
  for (const { ticketId, tasks } of submissions) {
    const visitId = tickets.get(ticketId)?.visitId;
    if (visitId !== undefined) smallest.set(visitId, Math.min(tasks.length, smallest.get(visitId) ?? tasks.length));
  }
  const upTo = new Map(
    [...written].flatMap(([id, bound]) => (bound > ticketTasksMax ? [[id, ticketTasksMax - (smallest.get(id) ?? 0) + 1] as const] : [])),
  );
  const counted = upTo.size === 0 ? new Map<string, number>() : await countOpenTasksOf(tx.em, upTo);
  for (const [id, open] of counted) if (open < (upTo.get(id) ?? 0)) bounds.set(id, open);
  const rows = await lockNamedTasks(
    tx,
    named,
    submissions.flatMap(({ parent }) => parent?.taskId ?? []),
  );
  // Whoever looked for work meanwhile has passed over what is held here.
  if (rows.some(({ state }) => state === 'ready')) tx.hints.tasks = true;
  const byVisit = Map.groupBy(rows, ({ visitId }) => visitId);
  return {
    tickets,
    written,
    visits: new Map(
      [...bounds].map(([id, openBound]) => [
        id,
        { openBound, open: counted.get(id) ?? openBound, named: nameTasks(byVisit.get(id) ?? []) },
      ]),
    ),
    parents: new Map(rows.map((row) => [row.id, { ...row }])),
  };
}

const nameTasks = (rows: readonly ExistingTask[]): NamedTasks =>
  new Map(rows.flatMap((row) => [[row.id, row] as const, ...(row.ref === null ? [] : [[row.ref, row] as const])]));

function planOne({ tickets, visits, parents }: Board, limits: SubmitLimits, { ticketId, phase, tasks, parent, sessionId }: Submission) {
  const ticket = tickets.get(ticketId);
  const board = ticket && visits.get(ticket.visitId);
  if (ticket === undefined || board === undefined) throw new CoordinatorError('ticket_not_found', { ticketId });
  if (ticket.state !== 'open' || (phase !== undefined && phase !== ticket.phase)) {
    throw new CoordinatorError('phase_closed', {
      ticketId,
      phase: ticket.phase,
      state: ticket.state,
      message: `It is in ${ticket.phase} and ${ticket.state}.`,
    });
  }
  const held = parent && findParent(parents, ticketId, { ...parent, sessionId });
  const depth = held === undefined ? 0 : held.depth + 1;
  const children = (held?.children ?? 0) + tasks.length;
  refuseTooMany(limits, { depth, children: held === undefined ? 0 : children, open: board.open, added: tasks.length });
  for (const [index, { locks }] of tasks.entries()) refuseTooManyGrants(locks, { path: `tasks[${index}].locks`, ...limits });

  const place = { ticketId, depth, visitId: ticket.visitId, phase: ticket.phase, priority: ticket.priority, parentTaskId: parent?.taskId };
  const plan = planSubmission(board.named, place, tasks, { refsMayRepeat: false });
  board.openBound += tasks.length;
  board.open += tasks.length;
  if (held !== undefined) held.children = children;
  return plan;
}

/** The running attempt that submits. A task of another project is none. */
function findParent(
  parents: Board['parents'],
  ticketId: string,
  { taskId, attempt, sessionId }: { taskId: string; attempt: number; sessionId: string | undefined },
): ExistingTask & { children: number } {
  const row = parents.get(taskId);
  const isCurrent = row?.state === 'running' && row.attempt === attempt && (sessionId === undefined || row.sessionId === sessionId);
  if (row === undefined || !isCurrent)
    throw new CoordinatorError('claim_stale', { taskId, attempt, ...(row && { state: row.state, currentAttempt: row.attempt }) });
  if (row.ticketId !== ticketId) throw new CoordinatorError('claim_stale', { taskId, message: 'The task belongs to another ticket.' });
  return row;
}

/** Adds tasks to a visit that this transaction keeps open, as a phase does by itself: no limit but that of its definition. */
export async function addTasks(tx: Tx, place: TaskPlace, tasks: readonly NewTask[]): Promise<void> {
  const { visitId } = place;
  await raiseOpenTaskBounds(tx.em, new Map([[visitId, tasks.length]]));
  const rows = await lockNamedTasks(
    tx,
    namesIn(tasks).map((name) => ({ visitId, name })),
    [],
  );
  await writePlans(tx, [planSubmission(nameTasks(rows), place, tasks, { refsMayRepeat: true })]);
}

async function writePlans(tx: Tx, plans: readonly Planned[]): Promise<Submitted[]> {
  if (plans.length === 0) return [];
  const waits = await insertTasks(tx, plans);
  await writeParents(tx, plans);
  for (const { place, tasks } of plans) {
    tx.record('task.submitted', {
      ticketId: place.ticketId,
      phase: place.phase,
      taskCount: tasks.length,
      ...(place.parentTaskId !== undefined && { parentTaskId: place.parentTaskId }),
    });
  }
  if (plans.some(({ tasks }) => tasks.some(({ state }) => state === 'ready'))) tx.hints.tasks = true;
  tx.hints.tasksInMs.push(...waits);

  const unsuccessful = plans.flatMap((plan) => plan.unsuccessful);
  await propagateFailure(tx, unsuccessful);
  // What waits for a task that had failed is skipped already, or ready.
  const states =
    unsuccessful.length === 0
      ? undefined
      : await listTaskStates(
          tx.em,
          plans.flatMap(({ tasks }) => tasks.map(({ id }) => id)),
        );
  return plans.map(({ tasks }) => ({
    tasks: tasks.map(({ id, task, state }) => ({ id, state: states?.get(id) ?? state, ...(task.ref !== undefined && { ref: task.ref }) })),
  }));
}

async function writeParents(tx: Tx, plans: readonly Planned[]): Promise<void> {
  const parents = plans.flatMap(({ place, tasks }) =>
    place.parentTaskId === undefined ? [] : [{ taskId: place.parentTaskId, added: tasks.length }],
  );
  if (parents.length > 0) await countChildren(tx.em, parents);
}
