import type { Assignment, DagStatus, Explanation, ReadyTask } from '../scheduler.ts';
import { ids } from './cast.ts';

const place = { ticketId: ids.ticket, phase: 'FIX', capabilities: ['typescript'] };

/** The two that would be handed out first. */
export const readyToBegin: ReadyTask[] = [
  { ...place, taskId: ids.reproduce, ref: 'reproduce', type: 'reproduce-bug', title: 'Write a test that fails', priority: 'HIGH' },
  { ...place, taskId: ids.measure, ref: 'measure', type: 'measure-logins', title: 'Count who is affected', priority: 'HIGH' },
];

/** The first of them, kept for the agent: all that it needs, all slots free, healthy, three of them. */
export const firstAssignment: Assignment = {
  taskId: ids.reproduce,
  title: 'Write a test that fails',
  agentId: ids.agent,
  agentName: 'mender',
  expiresInMs: 60_000,
  score: 1.55,
};

const free = { dependsOn: [], isReady: true, pendingDependencies: 0, level: 0, state: 'ready' as const };

/** Three tasks that can begin, and one that waits for the first of them. */
export const graphOfFix: DagStatus = {
  counts: { total: 4, pending: 4, blocked: 1, ready: 3, running: 0, completed: 0, failed: 0, cancelled: 0, skipped: 0 },
  levels: [[ids.reproduce, ids.measure, ids.changelog], [ids.mend]],
  criticalPath: { taskIds: [ids.reproduce, ids.mend] },
  tasks: [
    { ...free, taskId: ids.reproduce, ref: 'reproduce', title: 'Write a test that fails' },
    { ...free, taskId: ids.measure, ref: 'measure', title: 'Count who is affected' },
    { ...free, taskId: ids.changelog, ref: 'changelog', title: 'Say what was wrong' },
    {
      taskId: ids.mend,
      ref: 'mend',
      title: 'Mend the query',
      state: 'blocked',
      dependsOn: [ids.reproduce],
      isReady: false,
      pendingDependencies: 1,
      level: 1,
    },
  ],
};

/** It waits for the test that fails; the agent could do it. */
export const whyMendWaits: Explanation = {
  summary: '"Mend the query" is blocked: it waits for "Write a test that fails" (ready).',
  obstacles: [
    {
      code: 'dependencies_pending',
      message: 'It waits for "Write a test that fails" (ready).',
      tasks: [{ taskId: ids.reproduce, title: 'Write a test that fails', state: 'ready' }],
    },
  ],
  agents: [
    {
      agentId: ids.agent,
      agentName: 'mender',
      fits: true,
      isNext: false,
      obstacles: [{ code: 'not_asking', message: 'It could do it, but no call of it waits for work here.' }],
    },
  ],
  omitted: 0,
};
