import {
  type Artifact,
  CoordinatorError,
  type NewArtifact,
  type NewContextItem,
  type JsonValue,
  type Role,
  type TaskError,
  type TaskState,
} from '@baton/protocol';
import { sql } from 'kysely';
import {
  type ArtifactLimits,
  type ArtifactOrigin,
  measureArtifacts,
  type MeasuredArtifact,
  type Origin,
  storeArtifacts,
} from '../artifact/artifact.service.ts';
import { noteReturned } from '../context/context.service.ts';
import { itemsOfCompletion, type ReturnedArtifact } from '../context/returned-items.ts';
import { type CallOutcome, outcomeOf } from '../db/outcome.ts';
import { rowsOf } from '../db/rows.ts';
import type { Tx } from '../db/transaction.ts';
import { forgetHolders } from '../lock/lock.service.ts';
import { type AttemptEndParts, type AttemptVerdict, endAttempts, writeAttemptEnds } from './attempt-end.service.ts';
import { type EndKey, findKeyConflicts } from './attempt-keys.store.ts';
import { holdPlaces, holdSessions } from './fence.store.ts';
import { propagateSuccess } from './propagate.ts';
import { findAttemptWork } from './attempt.store.ts';
import { findAgentNames, type LockedTask, lockTasks, toAttemptEvent } from './task.store.ts';

interface AttemptCall {
  readonly taskId: string;
  readonly attempt: number;
  readonly sessionId: string;
  readonly endKey?: EndKey | undefined;
}

export interface Completion extends AttemptCall {
  /** Of the caller. */
  readonly token: { readonly id: string; readonly name: string; readonly role: Role };
  /** What is wrong with its artifacts, as was found out before. */
  readonly fault?: CoordinatorError | undefined;
  readonly output?: JsonValue | undefined;
  readonly summary?: string | undefined;
  readonly artifacts: readonly NewArtifact[];
  readonly context: readonly NewContextItem[];
}

export interface Failure extends AttemptCall {
  readonly outcome: 'failed' | 'timed_out' | 'released';
  readonly error: TaskError;
  readonly permanent: boolean;
  readonly context: readonly NewContextItem[];
  /** Of the caller's token; absent where the attempt has reached no agent. */
  readonly role?: Role | undefined;
}

/**
 * Completes attempts of many callers in one transaction: their results, artifacts and context items, the readiness of
 * dependents and the hand-over of locks. Each is fenced by attempt and session; one that is stale is refused and the
 * others go on. The same completion sent again answers the same: of two of one attempt the first counts, and with the key of the
 * first the second has to bring the same.
 */
export async function completeTasks(
  tx: Tx,
  limits: ArtifactLimits,
  completions: readonly Completion[],
): Promise<CallOutcome<{ taskId: string; attempt: number; state: TaskState }>[]> {
  const held = await holdAttempts(tx, completions);
  const current = completions.filter((completion) => held.isCurrent(completion));
  const tasks = current.map(({ taskId }) => held.get(taskId));
  const { accepted, refused, artifacts } = await storeArtifactsOf(tx, limits, current, held);

  await rowsOf(
    tx.em,
    sql`update tasks t set state = 'completed', output = x.output, summary = x.summary, error = null, progress = null, deadline_at = null, finished_at = clock_timestamp()
        from jsonb_to_recordset(${JSON.stringify(accepted.map(({ taskId, output, summary }) => ({ id: taskId, output, summary })))}::jsonb) as x(id uuid, output jsonb, summary text)
        where t.id = x.id`,
  );
  await writeAttemptEnds(
    tx,
    accepted.map(({ taskId, attempt, endKey }) => ({ taskId, attempt, outcome: 'completed', endKey })),
  );
  const names = await findAgentNames(tx.em, tasks);
  const work = await findAttemptWork(tx.em, accepted);
  const left = accepted.map((completion) => {
    const { taskId } = completion;
    const { title } = held.get(taskId);
    const returned = { ...completion, artifacts: artifacts.get(completion) ?? [] };
    return itemsOfCompletion(toOrigin(held, completion, completion.token.role), {
      ...returned,
      title,
      locks: work.get(taskId)?.locks ?? [],
    });
  });
  await noteReturned(tx, left);
  for (const { taskId, summary } of accepted) {
    const task = held.get(taskId);
    tx.record('task.completed', {
      ...toAttemptEvent(task, names),
      durationMs: work.get(taskId)?.durationMs ?? 0,
      ...(summary !== undefined && { summary }),
    });
    tx.hints.ticketIds.add(task.ticketId);
  }
  await propagateSuccess(
    tx,
    accepted.map(({ taskId }) => taskId),
  );
  await forgetHolders(tx, { attempts: accepted.map(({ taskId, attempt }) => ({ taskId, attempt })) });

  const conflicts = await findKeyConflicts(tx, without(completions, accepted));
  return completions.map((completion) => {
    const { taskId, attempt } = completion;
    const error = conflicts.get(completion) ?? refused.get(completion);
    if (error !== undefined) return { error };
    return held.isCurrent(completion) || held.isRepeated(completion, 'completed')
      ? { ok: { taskId, attempt, state: 'completed' } }
      : { error: held.toError(completion) };
  });
}

/** Ends attempts of many callers that brought no result, in one transaction. */
export async function failTasks(
  tx: Tx,
  parts: Pick<AttemptEndParts, 'limits'>,
  failures: readonly Failure[],
): Promise<CallOutcome<AttemptVerdict & { attempt: number }>[]> {
  const held = await holdAttempts(tx, failures);
  const current = firstOfEach(failures.filter((failure) => held.isCurrent(failure)));
  const verdicts = await endAttempts(
    tx,
    parts,
    current.map(({ taskId, outcome, error, permanent, endKey, context, role }) => {
      const isUnnoted = role === undefined;
      return { task: held.get(taskId), outcome, error, permanent, endKey, context, role, isUnnoted };
    }),
  );
  const ended = new Map(current.map((failure, index) => [failure, verdicts[index]]));
  const others = without(failures, current);
  const repeated = await findRepeatedEnds(tx, others);
  const conflicts = await findKeyConflicts(tx, others);
  return failures.map((failure) => {
    const conflict = conflicts.get(failure);
    if (conflict !== undefined) return { error: conflict };
    const verdict = ended.get(failure) ?? repeated.get(failure);
    return verdict === undefined ? { error: held.toError(failure) } : { ok: { ...verdict, attempt: failure.attempt } };
  });
}

/**
 * Failures and releases that were recorded before and are sent again, as after an answer that was lost: they answer what has
 * become of the task.
 */
async function findRepeatedEnds(tx: Tx, failures: readonly Failure[]): Promise<Map<Failure, AttemptVerdict>> {
  if (failures.length === 0) return new Map();
  const rows = await rowsOf(
    tx.em,
    sql<
      AttemptCall & { outcome: string; state: TaskState; retryInMs: number }
    >`select n.task_id, n.number as attempt, n.session_id, n.outcome, t.state,
          greatest(0, extract(epoch from t.run_at - n.finished_at) * 1000)::float8 as retry_in_ms
        from attempts n join tasks t on t.id = n.task_id and t.project_id = ${tx.projectId}
          join jsonb_to_recordset(${JSON.stringify(failures.map(({ taskId, attempt }) => ({ taskId, attempt })))}::jsonb) as x("taskId" uuid, attempt int)
            on n.task_id = x."taskId" and n.number = x.attempt`,
  );
  return new Map(
    failures.flatMap((failure) => {
      const row = rows.find(
        ({ taskId, attempt, sessionId, outcome }) =>
          taskId === failure.taskId && attempt === failure.attempt && sessionId === failure.sessionId && outcome === failure.outcome,
      );
      if (row === undefined) return [];
      return [
        [
          failure,
          { taskId: row.taskId, state: row.state, ...(row.state === 'ready' && { retryInMs: Math.round(row.retryInMs) }) },
        ] as const,
      ];
    }),
  );
}

/** Of calls that are all of the current attempts of their tasks, the first of each: what one after the other would come to. */
function firstOfEach<T extends AttemptCall>(calls: readonly T[]): T[] {
  const first = new Map<string, T>();
  for (const call of calls) if (!first.has(call.taskId)) first.set(call.taskId, call);
  return [...first.values()];
}

function without<T>(calls: readonly T[], left: readonly T[]): T[] {
  const leftOut = new Set(left);
  return calls.filter((call) => !leftOut.has(call));
}

async function holdAttempts(tx: Tx, calls: readonly AttemptCall[]) {
  const ids = calls.map(({ taskId }) => taskId);
  // In the order that every transaction keeps: tickets, visits, sessions, tasks.
  await holdPlaces(tx, ids);
  const sessions = await holdSessions(
    tx.em,
    calls.map(({ sessionId }) => sessionId),
  );
  const tasks = new Map((await lockTasks(tx, ids)).map((task) => [task.id, task]));
  const names = await findAgentNames(tx.em, [...tasks.values()]);

  const matches = ({ taskId, attempt, sessionId }: AttemptCall, state: TaskState): boolean => {
    const task = tasks.get(taskId);
    return task?.state === state && task.attempt === attempt && task.sessionId === sessionId;
  };
  const get = (taskId: string): LockedTask => {
    const task = tasks.get(taskId);
    if (task === undefined) throw new Error(`The task ${taskId} was not locked.`);
    return task;
  };
  return {
    get,
    authorOf: (taskId: string) => names.get(get(taskId).agentId ?? '') ?? 'unknown',
    isCurrent: (call: AttemptCall) => sessions.has(call.sessionId) && matches(call, 'running'),
    isRepeated: (call: AttemptCall, state: TaskState) => matches(call, state),
    toError(call: AttemptCall): CoordinatorError {
      if (!sessions.has(call.sessionId)) return new CoordinatorError('session_unknown');
      const task = tasks.get(call.taskId);
      return new CoordinatorError('claim_stale', {
        taskId: call.taskId,
        attempt: call.attempt,
        ...(task && { state: task.state, currentAttempt: task.attempt }),
      });
    },
  };
}

/**
 * Stores the artifacts that completions bring, in one statement. Those that bring too much, or what does not fit its schema, are
 * refused, and nothing of them is stored; of the others the first of each attempt is accepted.
 */
async function storeArtifactsOf(
  tx: Tx,
  limits: ArtifactLimits,
  completions: readonly Completion[],
  held: Awaited<ReturnType<typeof holdAttempts>>,
): Promise<{ accepted: Completion[]; refused: Map<Completion, CoordinatorError>; artifacts: Map<Completion, ReturnedArtifact[]> }> {
  const refused = new Map<Completion, CoordinatorError>();
  const measured = new Map<Completion, MeasuredArtifact[]>();
  for (const completion of completions) {
    const { fault, artifacts } = completion;
    const outcome = fault === undefined ? outcomeOf(() => measureArtifacts(limits, artifacts)) : { error: fault };
    if ('ok' in outcome) measured.set(completion, outcome.ok);
    else refused.set(completion, outcome.error);
  }
  const accepted = firstOfEach([...measured.keys()]);
  const given = accepted.flatMap((completion) => {
    const { token } = completion;
    const origin: ArtifactOrigin = { ...toOrigin(held, completion, token.role), tokenId: token.id, token: token.name };
    return (measured.get(completion) ?? []).map((each) => ({ completion, origin, measured: each }));
  });
  const stored = await storeArtifacts(tx, given);
  const artifacts = new Map<Completion, ReturnedArtifact[]>();
  for (const [index, { completion, measured: each }] of given.entries()) {
    const artifact: Artifact | undefined = stored[index];
    if (artifact !== undefined)
      artifacts.set(completion, [...(artifacts.get(completion) ?? []), { given: each.artifact, stored: artifact }]);
  }
  return { accepted, refused, artifacts };
}

function toOrigin(
  held: Awaited<ReturnType<typeof holdAttempts>>,
  { taskId, attempt }: Pick<AttemptCall, 'taskId' | 'attempt'>,
  role: Role,
): Origin {
  const { ticketId, visitId, visitNumber, phase } = held.get(taskId);
  return { ticketId, visitId, visitNumber, phase, author: held.authorOf(taskId), role, taskId, attempt };
}
