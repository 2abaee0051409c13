import { z } from 'zod';
import { event, notification } from './define.ts';
import { grantedLock, lockRequest } from './lock.ts';
import type { Machine, StateOf } from './machine.ts';
import { capability, capabilityNeeds, id, jsonObject, jsonValue, phaseName, priority, timestamp } from './values.ts';

export const taskMachine = {
  initial: 'blocked',
  states: ['blocked', 'ready', 'running', 'completed', 'failed', 'cancelled', 'skipped'],
  steps: {
    unblock: { from: ['blocked'], to: 'ready' },
    claim: { from: ['ready'], to: 'running' },
    complete: { from: ['running'], to: 'completed' },
    fail: { from: ['running'], to: 'failed' },
    requeue: { from: ['running'], to: 'ready' },
    skip: { from: ['blocked'], to: 'skipped' },
    cancel: { from: ['blocked', 'ready', 'running'], to: 'cancelled' },
    retry: { from: ['failed', 'cancelled', 'skipped'], to: 'ready' },
    reopen: { from: ['skipped'], to: 'blocked' },
  },
} as const satisfies Machine;

export type TaskState = StateOf<typeof taskMachine>;
/** The states of a task that has not ended. */
export const openTaskStates = ['blocked', 'ready', 'running'] as const satisfies readonly TaskState[];
export const taskState = z.enum(taskMachine.states).meta({ id: 'TaskState', description: 'See the state machine in machines.md.' });

export const taskRef = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9_./-]{0,127}$/, 'Start with a letter; then letters, digits and _ . / - only.')
  .meta({ id: 'TaskRef', description: "A name for a task inside its ticket's phase, used by other tasks to refer to it." });

/** Names of other tasks, each once. */
const otherTasks = (twice: string) =>
  z
    .array(z.union([id, taskRef], 'Name a task by its `ref` or by its id.'))
    .max(1_000)
    .refine((names) => new Set(names).size === names.length, twice)
    .default([]);

/** Thirty days: what is to wait longer is better submitted later. */
const delayMsMax = 30 * 86_400_000;

export const taskTitleMax = 500;

/** The fields of a new task, for what is made of them. */
export const newTaskFields = z.strictObject({
  ref: taskRef.optional().describe('What other tasks may call it.'),
  type: capability.describe("Which of an agent's task definitions does it."),
  title: z.string().min(1).max(taskTitleMax).optional().describe('For people. Without it the reference, or the type.'),
  input: jsonObject
    .default({})
    .describe(
      'May hold references such as `{{ tasks.analyse.output.modules }}`, resolved when the task is claimed. `{ $literal: … }` stands for what it holds, and nothing in it is looked up.',
    ),
  dependsOn: otherTasks('A dependency is named twice.').describe('References of this submission or of this phase, or task ids.'),
  capabilities: capabilityNeeds.optional().describe("Without any, the task's type is the one capability that is needed."),
  locks: z.array(lockRequest).max(100).default([]).describe('Taken with the claim, all or none, and held as long as the attempt.'),
  priority: priority.optional().describe('Without it that of the ticket.'),
  maxAttempts: z.int().min(1).max(100).default(3).describe('How often it is tried before it has failed.'),
  timeoutMs: z.int().min(100).max(86_400_000).default(600_000).describe('How long one attempt may take, in ms.'),
  onDependencyFailure: z.enum(['skip', 'run']).default('skip').describe('What becomes of this task when one it depends on fails.'),
  runAt: timestamp
    .optional()
    .describe("Not handed out before this moment, such as `2030-05-04T09:30:00Z`, by the database's clock. One that has passed is now."),
  delayMs: z
    .int()
    .min(0)
    .max(delayMsMax)
    .optional()
    .describe('Not handed out before so much time has passed since its submission, in ms. Not together with `runAt`.'),
  notBy: otherTasks('A task is named twice.').describe(
    'Tasks, not agents: whoever did one of these may not do this one, as a review is not done by the author. Named as in `dependsOn`, and each is a dependency as well.',
  ),
});

export const newTask = newTaskFields
  .refine(({ runAt, delayMs }) => runAt === undefined || delayMs === undefined, {
    path: ['delayMs'],
    error: 'Give `runAt` or `delayMs`, not both.',
  })
  .meta({ id: 'NewTask', description: 'A task as it is submitted.' });
export type NewTask = z.infer<typeof newTask>;
export type NewTaskInput = z.input<typeof newTask>;

export const taskError = z
  .object({ code: z.string().max(128).default('task_failed'), message: z.string().max(16_000), details: jsonValue.optional() })
  .meta({ id: 'TaskError', description: 'What went wrong in an attempt, as the agent tells it.' });
export type TaskError = z.infer<typeof taskError>;

export const attemptOutcomes = ['completed', 'failed', 'timed_out', 'lost', 'released', 'cancelled'] as const;
export type AttemptOutcome = (typeof attemptOutcomes)[number];
export const attempt = z
  .object({
    number: z.int().min(1),
    agentId: id,
    agentName: z.string(),
    startedAt: timestamp,
    finishedAt: timestamp.optional(),
    lockWaitMs: z.number().describe('How long the task waited for its declared locks before this attempt, in ms.'),
    outcome: z.enum(attemptOutcomes).optional(),
    error: taskError.optional(),
  })
  .meta({ id: 'Attempt', description: 'One try at a task by one agent.' });
export type Attempt = z.infer<typeof attempt>;

export const progress = z
  .object({ percentage: z.number().min(0).max(100).optional(), message: z.string().max(1_000).optional() })
  .meta({ id: 'Progress', description: 'How far an attempt is.' });

export const task = z
  .object({
    id,
    ticketId: id,
    phase: phaseName,
    visit: z.int32(),
    ref: z.string().optional(),
    type: z.string(),
    title: z.string(),
    state: taskState,
    priority,
    capabilities: z.array(z.string()),
    locks: z.array(lockRequest),
    dependsOn: z.array(id),
    pendingDependencies: z.int().describe('How many of them are not done.'),
    attempt: z.int32().describe('The number of the newest attempt; 0 before the first.'),
    maxAttempts: z.int(),
    timeoutMs: z.int(),
    parentTaskId: id.optional().describe('The task that submitted it.'),
    agentId: id.optional().describe('Who has it now, or had it last.'),
    agentName: z.string().optional(),
    waitingForKey: z.string().optional().describe('It is ready but the lock with this key is taken.'),
    progress: progress.optional(),
    summary: z.string().optional(),
    error: taskError.optional(),
    reason: z.string().optional().describe('Why it was skipped or cancelled.'),
    createdAt: timestamp,
    startedAt: timestamp.optional(),
    finishedAt: timestamp.optional(),
    runInMs: z.number().optional().describe('In ms from now, while it waits for its time: that of its submission, or that of a back-off.'),
    notBy: z.array(id).optional().describe('Whoever did one of these may not do it.'),
  })
  .meta({ id: 'Task', description: 'A unit of work of a ticket in a phase, a node of a graph of dependencies.' });
export type Task = z.infer<typeof task>;

export const deadLetter = z
  .object({
    taskId: id,
    ticketId: id,
    phase: phaseName,
    visit: z.int32(),
    ref: z.string().optional(),
    type: z.string(),
    title: z.string(),
    error: taskError.describe('That of the last attempt.'),
    outcome: z.enum(attemptOutcomes).describe('How the last attempt ended.'),
    attempt: z.int32().describe('The number of the last attempt.'),
    maxAttempts: z.int(),
    agentId: id.describe('Who made the last attempt.'),
    agentName: z.string(),
    failedAt: timestamp,
    isRetryable: z.boolean().describe('The ticket is still in the visit that the task belongs to; `task/retry` refuses others.'),
  })
  .meta({ id: 'DeadLetter', description: 'A task that has failed for good, and why.' });
export type DeadLetter = z.infer<typeof deadLetter>;

export const taskDetails = task
  .extend({ input: jsonObject, output: jsonValue.optional(), attempts: z.array(attempt) })
  .meta({ id: 'TaskDetails', description: 'A task with its input, output and attempts.' });
export type TaskDetails = z.infer<typeof taskDetails>;

export const claim = z
  .object({
    taskId: id,
    attempt: z.int32(),
    ticketId: id,
    phase: phaseName,
    visit: z.int32(),
    ref: z.string().optional(),
    type: z.string(),
    title: z.string(),
    input: jsonObject.describe('With all references resolved.'),
    locks: z.array(grantedLock),
    timeoutMs: z.int(),
  })
  .meta({ id: 'Claim', description: "An agent's right to one attempt, with all that the attempt needs." });
export type Claim = z.infer<typeof claim>;

const taskEvent = { taskId: id, ticketId: id, phase: phaseName, ref: z.string().optional(), title: z.string() };
const attemptEvent = { ...taskEvent, attempt: z.int32(), agentId: id, agentName: z.string() };

export const taskEvents = {
  'task.submitted': event({
    summary: 'Tasks were added to a ticket, all in one transaction.',
    data: z.object({ ticketId: id, phase: phaseName, taskCount: z.int(), parentTaskId: id.optional() }),
  }),
  'task.claimed': event({
    summary: 'An agent took a task; its declared locks are held from here.',
    data: z.object({ ...attemptEvent, locks: z.array(grantedLock), lockWaitMs: z.number() }),
  }),
  'task.deferred': event({
    summary: 'A task that could be handed out waits, because a lock it declares is taken.',
    data: z.object({ ...taskEvent, key: z.string(), holders: z.array(z.string()) }),
  }),
  'task.completed': event({
    summary: 'A task was completed.',
    data: z.object({ ...attemptEvent, summary: z.string().optional(), durationMs: z.number() }),
  }),
  'task.requeued': event({
    summary: 'An attempt ended without a result and the task will be tried again.',
    data: z.object({ ...attemptEvent, outcome: z.enum(attemptOutcomes), error: taskError, retryInMs: z.number() }),
  }),
  'task.failed': event({
    summary: 'A task failed for good.',
    data: z.object({ ...attemptEvent, outcome: z.enum(attemptOutcomes), error: taskError }),
  }),
  'task.cancelled': event({ summary: 'A task was cancelled.', data: z.object({ ...taskEvent, reason: z.string().optional() }) }),
  'task.skipped': event({
    summary: 'A task will not run, because one it depends on did not succeed.',
    data: z.object({ ...taskEvent, reason: z.string() }),
  }),
  'task.reopened': event({
    summary: 'A task was given a new life by hand.',
    data: z.object({ ...taskEvent, reason: z.string().optional() }),
  }),
};

/** Why an attempt must stop. */
export const revocationReasons = ['cancelled', 'lease_lost', 'timed_out', 'phase_closed'] as const;
export type RevocationReason = (typeof revocationReasons)[number];

export const taskNotifications = {
  'task/revoked': notification({
    summary: 'An attempt of this session has ended without it: stop, its result would be refused.',
    params: z.object({ taskId: id, attempt: z.int32(), reason: z.enum(revocationReasons) }),
  }),
};
