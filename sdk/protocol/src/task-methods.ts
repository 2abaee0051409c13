import { z } from 'zod';
import { newArtifact } from './artifact.ts';
import { newContextItem } from './context.ts';
import { method, readParams, writeParams } from './define.ts';
import { ids } from './story/cast.ts';
import { firstClaims, measureDeadLetter, mendTask, newTasks, reproduceTask } from './story/task.ts';
import { claim, deadLetter, newTask, openTaskStates, progress, task, taskDetails, taskError, taskState } from './task.ts';
import { cursor, id, jsonValue, limit, nextCursor, phaseName, waitMs } from './values.ts';

/** Every later write of an attempt carries both; a stale pair is refused and changes nothing. */
const fence = { taskId: id, attempt: z.int32().min(1).describe('As the claim named it. A stale one is refused.') };

/** What an attempt leaves at its end, however it ends. */
const notes = z.array(newContextItem).max(1_000).default([]).describe('What later phases should know.');

const cancelReason = z.string().max(1_000).optional().describe('Kept with the task and told in its event.');
const dependents = z
  .enum(['skip', 'cancel'])
  .default('skip')
  .describe(
    'What becomes of the tasks that wait for it: skipped or run, as each of them says; or cancelled as well, and all that wait for them.',
  );
const cancelledCount = z.int().describe('How many tasks this call cancelled.');

export const taskMethods = {
  'task/submit': method({
    summary: 'Adds a graph of tasks to the current phase of a ticket, all or none.',
    access: 'work',
    session: false,
    idempotent: false,
    params: writeParams({
      ticketId: id,
      phase: phaseName.optional().describe('Refused unless the ticket is in this phase.'),
      tasks: z.array(newTask).min(1).max(10_000).describe('In any order; they may depend on each other by `ref`.'),
      parent: z
        .object(fence)
        .optional()
        .describe('The running attempt that submits them: they are its children, and are refused once the attempt is stale.'),
    }),
    result: z.object({ tasks: z.array(z.object({ id, ref: z.string().optional(), state: taskState })) }),
    errors: [
      'ticket_not_found',
      'phase_closed',
      'dependency_cycle',
      'dependency_unknown',
      'reference_duplicate',
      'input_unresolved',
      'lock_key_invalid',
      'limit_exceeded',
      'claim_stale',
    ],
    example: {
      params: { ticketId: ids.ticket, tasks: newTasks },
      result: {
        tasks: [
          { id: ids.reproduce, ref: 'reproduce', state: 'ready' },
          { id: ids.measure, ref: 'measure', state: 'ready' },
          { id: ids.changelog, ref: 'changelog', state: 'ready' },
          { id: ids.mend, ref: 'mend', state: 'blocked' },
        ],
      },
    },
  }),
  'task/get': method({
    summary: 'Returns one task with its input, output and attempts.',
    access: 'read',
    session: false,
    idempotent: true,
    params: readParams({ taskId: id }),
    result: taskDetails,
    errors: ['task_not_found'],
    example: { params: { taskId: ids.reproduce }, result: reproduceTask },
  }),
  'task/list': method({
    summary: 'Lists tasks in the order of their submission.',
    access: 'read',
    session: false,
    idempotent: true,
    params: readParams({
      ticketId: id.optional().describe('Only of this ticket.'),
      phase: phaseName.optional().describe('Only of this phase.'),
      states: z.array(taskState).optional().describe('Only in these states.'),
      after: id.optional(),
      limit: limit.default(100),
    }),
    result: z.object({ tasks: z.array(task), next: nextCursor }),
    errors: ['ticket_not_found'],
    example: { params: { ticketId: ids.ticket, states: ['blocked'] }, result: { tasks: [mendTask] } },
  }),
  'task/claim': method({
    summary: 'Takes up to `max` tasks that the session can do. Waits up to `waitMs` for the first.',
    access: 'work',
    session: true,
    idempotent: false,
    params: writeParams({
      max: z.int().min(1).max(1_000).default(1).describe('How many at most. The capacity of the agent is a limit as well.'),
      waitMs: waitMs.default(0),
    }),
    result: z.object({ claims: z.array(claim) }),
    errors: ['session_unknown', 'draining'],
    example: { params: { max: 3, waitMs: 5_000 }, result: { claims: firstClaims } },
  }),
  'task/progress': method({
    summary: 'Tells how far an attempt is.',
    access: 'work',
    session: true,
    idempotent: true,
    params: writeParams({ ...fence, progress }),
    result: z.object({}),
    errors: ['claim_stale', 'session_unknown'],
    example: { params: { taskId: ids.reproduce, attempt: 1, progress: { percentage: 50, message: 'The test is written.' } }, result: {} },
  }),
  'task/complete': method({
    summary: 'Ends an attempt with its result. Artifacts, context items and the readiness of dependents are part of the same transaction.',
    access: 'work',
    session: true,
    idempotent: false,
    params: writeParams({
      ...fence,
      output: jsonValue.optional().describe('What other tasks may refer to.'),
      summary: z.string().max(4_000).optional().describe('What was done, in a sentence, for those who come later.'),
      artifacts: z.array(newArtifact).max(1_000).default([]).describe('Evidence for the gate of the phase.'),
      context: notes,
    }),
    result: z.object({ taskId: id, attempt: z.int32(), state: taskState }),
    errors: ['claim_stale', 'session_unknown', 'limit_exceeded', 'artifact_invalid'],
    example: {
      params: {
        taskId: ids.reproduce,
        attempt: 1,
        output: { test: 'test/sign-in.test.ts' },
        summary: "A test signs in as O'Brien and fails.",
        artifacts: [{ type: 'code_changes', name: 'test/sign-in.test.ts', content: { linesAdded: 12 } }],
        context: [{ kind: 'fact', text: 'The query is built by hand in src/sign-in.ts.' }],
      },
      result: { taskId: ids.reproduce, attempt: 1, state: 'completed' },
    },
  }),
  'task/fail': method({
    summary:
      'Ends an attempt without a result. The task is tried again after a back-off, unless the error is permanent or the attempts are used up.',
    access: 'work',
    session: true,
    idempotent: false,
    params: writeParams({
      ...fence,
      error: taskError,
      permanent: z.boolean().default(false).describe('Another attempt would not help.'),
      context: notes,
    }),
    result: z.object({
      taskId: id,
      attempt: z.int32(),
      state: taskState,
      retryInMs: z.number().optional().describe('When it may be claimed again; absent where it has failed for good.'),
    }),
    errors: ['claim_stale', 'session_unknown'],
    example: {
      params: {
        taskId: ids.measure,
        attempt: 1,
        error: { code: 'log_unreadable', message: 'The log of yesterday cannot be read.' },
      },
      result: { taskId: ids.measure, attempt: 1, state: 'ready', retryInMs: 640 },
    },
  }),
  'task/release': method({
    summary: 'Gives an attempt back without a result, as a draining agent does. The attempt does not count; what it noted is kept.',
    access: 'work',
    session: true,
    idempotent: false,
    params: writeParams({
      ...fence,
      reason: z.string().max(1_000).optional().describe('Kept with the attempt.'),
      context: notes,
    }),
    result: z.object({ taskId: id, attempt: z.int32(), state: taskState }),
    errors: ['claim_stale', 'session_unknown'],
    example: {
      params: { taskId: ids.changelog, attempt: 1, reason: 'It comes after the fix.' },
      result: { taskId: ids.changelog, attempt: 1, state: 'ready' },
    },
  }),
  'task/cancel': method({
    summary: 'Cancels a task. Final at once; a running attempt is told, and its late result is refused.',
    access: 'operate',
    session: false,
    idempotent: true,
    params: writeParams({
      taskId: id,
      reason: cancelReason,
      dependents,
      children: z
        .boolean()
        .default(false)
        .describe(
          'Cancels the open tasks as well that it has submitted, and those that these have submitted; these alone where it has ended itself.',
        ),
    }),
    result: z.object({ taskId: id, state: taskState, cancelledCount }),
    errors: ['task_not_found', 'task_state_refused'],
    example: {
      params: { taskId: ids.measure, reason: 'Nobody needs the number.' },
      result: { taskId: ids.measure, state: 'cancelled', cancelledCount: 1 },
    },
  }),
  'task/cancelAll': method({
    summary: 'Cancels the open tasks of a ticket, all in one transaction.',
    access: 'operate',
    session: false,
    idempotent: true,
    params: writeParams({
      ticketId: id,
      phase: phaseName.optional().describe('Refused unless the ticket is in this phase.'),
      states: z
        .array(z.enum(openTaskStates))
        .min(1)
        .default([...openTaskStates])
        .describe('Only those in these states.'),
      reason: cancelReason,
      dependents,
    }),
    result: z.object({ ticketId: id, cancelledCount }),
    errors: ['ticket_not_found', 'phase_closed'],
    example: { params: { ticketId: ids.ticket, phase: 'REVIEW' }, result: { ticketId: ids.ticket, cancelledCount: 0 } },
  }),
  'task/retry': method({
    summary: 'Gives a failed, cancelled or skipped task a new life, and reopens the dependents that were skipped because of it.',
    access: 'operate',
    session: false,
    idempotent: false,
    params: writeParams({ taskId: id, reason: z.string().max(1_000).optional().describe('Kept with the task and told in its event.') }),
    result: z.object({ taskId: id, state: taskState }),
    errors: ['task_not_found', 'task_state_refused', 'phase_closed'],
    example: { params: { taskId: ids.measure, reason: 'Support asks for the number.' }, result: { taskId: ids.measure, state: 'ready' } },
  }),
  'task/deadLetters': method({
    summary: 'Lists tasks that have failed for good, the newest first: what a person looks at, mends and retries.',
    access: 'read',
    session: false,
    idempotent: true,
    params: readParams({
      ticketId: id.optional().describe('Only of this ticket.'),
      code: z.string().max(128).optional().describe('Only those whose last error has this code.'),
      after: cursor.optional(),
      limit: limit.default(100),
    }),
    result: z.object({ deadLetters: z.array(deadLetter), next: nextCursor }),
    errors: ['ticket_not_found'],
    example: { params: { ticketId: ids.ticket }, result: { deadLetters: [measureDeadLetter] } },
  }),
};
