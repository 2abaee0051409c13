import { z } from 'zod';
import { event, method, readParams, writeParams } from './define.ts';
import { ids } from './story/cast.ts';
import { firstAssignment, graphOfFix, readyToBegin, whyMendWaits } from './story/scheduler.ts';
import { taskState } from './task.ts';
import { capabilities, id, limit, nextCursor, phaseName, priority } from './values.ts';

const reservation = z.object({
  agentId: id,
  agentName: z.string(),
  expiresInMs: z.number().describe('How long it is kept for this agent, in ms.'),
});

const readyTask = z
  .object({
    taskId: id,
    ticketId: id,
    phase: phaseName,
    ref: z.string().optional(),
    type: z.string(),
    title: z.string(),
    priority,
    capabilities: z.array(z.string()).describe('What it needs.'),
    reservedFor: reservation.optional().describe('The agent that it is kept for.'),
  })
  .meta({ id: 'ReadyTask', description: 'A task that may be handed out now.' });
export type ReadyTask = z.infer<typeof readyTask>;

const assignment = z
  .object({
    taskId: id,
    title: z.string(),
    ...reservation.shape,
    score: z.number().describe('As in `agent/search`, with the slots that are reserved counted as taken.'),
  })
  .meta({ id: 'Assignment', description: 'A task that is kept for an agent.' });
export type Assignment = z.infer<typeof assignment>;

const passedOver = z
  .object({ taskId: id, reason: z.string().describe('Why, as a sentence.') })
  .meta({ id: 'PassedOver', description: 'A task that was named and is kept for nobody.' });
export type PassedOver = z.infer<typeof passedOver>;

const taskCounts = z.object({
  total: z.int(),
  pending: z.int().describe('Not begun: blocked or ready.'),
  blocked: z.int(),
  ready: z.int(),
  running: z.int(),
  completed: z.int(),
  failed: z.int(),
  cancelled: z.int(),
  skipped: z.int(),
});

const graphTask = z
  .object({
    taskId: id,
    ref: z.string().optional(),
    title: z.string(),
    state: taskState,
    dependsOn: z.array(id),
    isReady: z
      .boolean()
      .describe(
        'It may be handed out now, as those of `scheduler/readyTasks`: it waits for no task, no lock and no moment, and has not begun.',
      ),
    pendingDependencies: z.int().describe('For how many of them it waits.'),
    level: z.int().describe('The length of the longest chain of dependencies behind it; 0 for one that depends on nothing.'),
    runInMs: z.int().optional().describe('In ms from now, while it waits for its time: that of its submission, or that of a back-off.'),
  })
  .meta({ id: 'GraphTask', description: 'A task as a node of the graph of its ticket.' });
export type GraphTask = z.infer<typeof graphTask>;

const criticalPath = z
  .object({
    taskIds: z.array(id).describe('In order: each waits for the one before.'),
    remainingMs: z
      .int()
      .optional()
      .describe(
        'How long it is until its last task is expected to be done: the time until its first may run, and what each is expected to take. That is the mean of the completed tasks of its type in this graph, or of all completed ones where there is none of its type, less the time that one which runs has run. Absent before the first is completed.',
      ),
  })
  .meta({
    id: 'CriticalPath',
    description:
      'The chain of tasks that are not done which ends last, by `remainingMs`, then by the number of tasks. A task that may not run before a moment begins the chain where that moment comes later than the end of what it waits for. However many agents work, it is not done sooner.',
  });

export const dagStatus = z
  .object({
    counts: taskCounts,
    levels: z
      .array(z.array(id))
      .describe('The tasks in batches: each waits for tasks of earlier batches only. The tasks of a batch may run at the same time.'),
    criticalPath,
    tasks: z.array(graphTask).describe('A page of the tasks, in the order of their submission.'),
    next: nextCursor,
  })
  .meta({ id: 'DagStatus', description: 'The graph of tasks of a ticket, and how far it is.' });
export type DagStatus = z.infer<typeof dagStatus>;

/** Why a task is not handed out, or not to an agent; why an agent is given nothing. */
export const obstacleCodes = [
  'task_running',
  'task_completed',
  'task_failed',
  'task_cancelled',
  'task_skipped',
  'dependencies_pending',
  'phase_closed',
  'lock_taken',
  'not_due',
  'reserved',
  'nobody_offers',
  'nobody_free',
  'only_authors',
  'nobody_asks',
  'agent_draining',
  'agent_maintenance',
  'agent_quarantined',
  'agent_terminated',
  'agent_unavailable',
  'agent_lost',
  'agent_stale',
  'no_free_slot',
  'not_asking',
  'capability_missing',
  'excluded_author',
  'reserved_for_other',
  'nothing_ready',
  'nothing_suits',
] as const;
export type ObstacleCode = (typeof obstacleCodes)[number];

const taskName = z.object({ taskId: id, title: z.string(), state: taskState });

const obstacle = z
  .object({
    code: z.enum(obstacleCodes).describe('For programs.'),
    message: z.string().describe('For people: the same as a sentence.'),
    tasks: z.array(taskName).optional().describe('The tasks that are waited for, or that make an agent an author.'),
    key: z.string().optional().describe('The key of the lock that is taken.'),
    holders: z.array(z.string()).optional().describe('Who holds the lock.'),
    missing: z.array(z.string()).optional().describe('What is needed and not offered.'),
    agentName: z.string().optional().describe('Who runs it, or whom it is kept for.'),
    inMs: z.number().optional().describe('When this is over, in ms from now.'),
  })
  .meta({ id: 'Obstacle', description: 'One thing that stands in the way.' });
export type Obstacle = z.infer<typeof obstacle>;

const fit = {
  fits: z.boolean().describe('Nothing keeps the task from the agent, nor the agent from it. It may still not ask for work.'),
  isNext: z.boolean().describe('If the task were handed out now, it would go to this agent.'),
  obstacles: z.array(obstacle).describe('All that stands in the way; what would be handed out has none.'),
};

export const explanation = z
  .object({
    summary: z.string().describe('The answer in one sentence.'),
    obstacles: z.array(obstacle).describe('What keeps the task from everyone, or the agent from everything.'),
    agents: z
      .array(z.object({ agentId: id, agentName: z.string(), ...fit }))
      .optional()
      .describe('For a task: the agents, those that come closest first.'),
    tasks: z
      .array(z.object({ taskId: id, ticketId: id, title: z.string(), ...fit }))
      .optional()
      .describe('For an agent: the tasks that wait, in the order in which they are handed out.'),
    omitted: z.int().describe('How many more agents there are; for an agent 1 if there are more tasks.'),
  })
  .meta({ id: 'Explanation', description: 'Why a task does not run, or why an agent is given nothing.' });
export type Explanation = z.infer<typeof explanation>;

export const schedulerMethods = {
  'scheduler/readyTasks': method({
    summary: 'Lists the tasks that may be handed out now, in the order in which they would be.',
    access: 'read',
    session: false,
    idempotent: true,
    params: readParams({
      ticketId: id.optional().describe('Only of this ticket.'),
      capabilities: capabilities.optional().describe('Only what an agent can do that offers these.'),
      limit: limit.default(100),
    }),
    result: z.object({ tasks: z.array(readyTask) }),
    errors: ['ticket_not_found'],
    example: { params: { ticketId: ids.ticket, limit: 2 }, result: { tasks: readyToBegin } },
  }),
  'scheduler/dagStatus': method({
    summary: 'Returns the graph of tasks of a ticket: counts, batches, the critical path, and for each task what it waits for.',
    access: 'read',
    session: false,
    idempotent: true,
    params: readParams({
      ticketId: id,
      phase: phaseName.optional().describe('Only the tasks of this phase, in all visits of it.'),
      after: id.optional(),
      limit: limit.default(1_000).describe('At most so many `tasks` in one answer. All else is told of the whole graph.'),
    }),
    result: dagStatus,
    errors: ['ticket_not_found', 'limit_exceeded'],
    example: { params: { ticketId: ids.ticket, phase: 'FIX' }, result: graphOfFix },
  }),
  'scheduler/explain': method({
    summary:
      'Says why a task does not run, with each agent and why it does not get it; or why an agent is given nothing. By the rules by which tasks are handed out. Name one of the two.',
    access: 'read',
    session: false,
    idempotent: true,
    params: readParams({
      taskId: id.optional().describe('Why does this task not run?'),
      agentId: id.optional().describe('Why does this agent get nothing?'),
      limit: limit.default(50).describe('At most so many agents, or tasks, in the answer.'),
    }),
    result: explanation,
    errors: ['task_not_found', 'agent_not_found'],
    example: { params: { taskId: ids.mend }, result: whyMendWaits },
  }),
  'scheduler/assign': method({
    summary:
      'Reserves ready tasks for the best of the agents that have a free slot. Until then a reserved task is given to this agent alone, and before others; its declared locks are taken when it is claimed, and not before.',
    access: 'operate',
    session: false,
    idempotent: false,
    params: writeParams({
      ticketId: id.optional().describe('Only tasks of this ticket.'),
      taskIds: z
        .array(id)
        .min(1)
        .max(1_000)
        .optional()
        .describe(
          'Only these tasks, at most `limit` of them. One that is not ready, or reserved already, is passed over, and the answer says why.',
        ),
      agentIds: z.array(id).min(1).max(1_000).optional().describe('Only for these agents.'),
      limit: limit.default(1).describe('At most so many tasks.'),
      forMs: z.int().min(100).max(3_600_000).default(60_000).describe('How long they are kept, in ms.'),
    }),
    result: z.object({
      assignments: z.array(assignment).describe('In the order in which the tasks would be handed out.'),
      passedOver: z.array(passedOver).describe('Of the tasks that were named in `taskIds`, those that are kept for nobody now.'),
    }),
    errors: ['ticket_not_found', 'task_not_found', 'agent_not_found'],
    example: {
      params: { ticketId: ids.ticket, taskIds: [ids.reproduce, ids.mend], limit: 2, forMs: 60_000 },
      result: { assignments: [firstAssignment], passedOver: [{ taskId: ids.mend, reason: 'It waits for other tasks.' }] },
    },
  }),
};

export const schedulerEvents = {
  'task.reserved': event({
    summary: 'A task is kept for an agent for a while.',
    data: z.object({
      taskId: id,
      ticketId: id,
      phase: phaseName,
      ref: z.string().optional(),
      title: z.string(),
      agentId: id,
      agentName: z.string(),
      forMs: z.int(),
    }),
  }),
};
