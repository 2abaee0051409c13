import type { Claim, DeadLetter, NewTaskInput, Task, TaskDetails } from '../task.ts';
import { at, ids } from './cast.ts';

/** What has to be done: three tasks that can begin, and one that waits for the first of them. */
export const newTasks: NewTaskInput[] = [
  {
    ref: 'reproduce',
    type: 'reproduce-bug',
    title: 'Write a test that fails',
    input: { report: '{{ ticket.metadata.report }}' },
    capabilities: ['typescript'],
  },
  { ref: 'measure', type: 'measure-logins', title: 'Count who is affected', capabilities: ['typescript'], maxAttempts: 2 },
  { ref: 'changelog', type: 'write-changelog', title: 'Say what was wrong', capabilities: ['typescript'], priority: 'LOW' },
  {
    ref: 'mend',
    type: 'mend-bug',
    title: 'Mend the query',
    input: { test: '{{ tasks.reproduce.output.test }}' },
    dependsOn: ['reproduce'],
    capabilities: ['typescript'],
    locks: [{ key: 'file:src/sign-in.ts' }],
  },
];

const place = { ticketId: ids.ticket, phase: 'FIX', visit: 1 };

/** Waiting for the test that fails. */
export const mendTask: Task = {
  id: ids.mend,
  ...place,
  ref: 'mend',
  type: 'mend-bug',
  title: 'Mend the query',
  state: 'blocked',
  priority: 'HIGH',
  capabilities: ['typescript'],
  locks: [{ key: 'file:src/sign-in.ts', mode: 'exclusive' }],
  dependsOn: [ids.reproduce],
  pendingDependencies: 1,
  attempt: 0,
  maxAttempts: 3,
  timeoutMs: 600_000,
  createdAt: at('09:03:00'),
};

const firstClaim = { attempt: 1, ...place, input: {}, locks: [], timeoutMs: 600_000 };

/** What the agent was given, with references resolved. */
export const firstClaims: Claim[] = [
  {
    ...firstClaim,
    taskId: ids.reproduce,
    ref: 'reproduce',
    type: 'reproduce-bug',
    title: 'Write a test that fails',
    input: { report: 'BUG-17' },
  },
  { ...firstClaim, taskId: ids.measure, ref: 'measure', type: 'measure-logins', title: 'Count who is affected' },
  { ...firstClaim, taskId: ids.changelog, ref: 'changelog', type: 'write-changelog', title: 'Say what was wrong' },
];

/** Done at the first attempt. */
export const reproduceTask: TaskDetails = {
  id: ids.reproduce,
  ...place,
  ref: 'reproduce',
  type: 'reproduce-bug',
  title: 'Write a test that fails',
  state: 'completed',
  priority: 'HIGH',
  capabilities: ['typescript'],
  locks: [],
  dependsOn: [],
  pendingDependencies: 0,
  attempt: 1,
  maxAttempts: 3,
  timeoutMs: 600_000,
  agentId: ids.agent,
  agentName: 'mender',
  summary: "A test signs in as O'Brien and fails.",
  createdAt: at('09:03:00'),
  startedAt: at('09:04:00'),
  finishedAt: at('09:10:00'),
  input: { report: '{{ ticket.metadata.report }}' },
  output: { test: 'test/sign-in.test.ts' },
  attempts: [
    {
      number: 1,
      agentId: ids.agent,
      agentName: 'mender',
      startedAt: at('09:04:00'),
      finishedAt: at('09:10:00'),
      lockWaitMs: 0,
      outcome: 'completed',
    },
  ],
};

/** Tried a second time, and given up. */
export const measureDeadLetter: DeadLetter = {
  taskId: ids.measure,
  ...place,
  ref: 'measure',
  type: 'measure-logins',
  title: 'Count who is affected',
  error: { code: 'log_deleted', message: 'The log of that day is gone.' },
  outcome: 'failed',
  attempt: 2,
  maxAttempts: 2,
  agentId: ids.agent,
  agentName: 'mender',
  failedAt: at('09:12:00'),
  isRetryable: true,
};
