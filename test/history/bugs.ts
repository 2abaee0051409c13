import type { Finding } from './check-history.ts';

/** A mistake that somebody could make, made on purpose. */
export interface SeededBug {
  /** Below `coordinator/src`. */
  readonly file: string;
  /** Stands in the file exactly once. */
  readonly fragment: string;
  readonly replacement: string;
  /** Who has to find it: a model, or the checker of histories by one of these rules. */
  readonly found: 'task model' | 'lock model' | readonly Finding['rule'][];
  /** Takes longer to be found: only in `pnpm soak`. */
  readonly isSlow?: boolean;
}

/** By what the broken build does. */
export const seededBugs = {
  'a completion is accepted whatever the number of its attempt': {
    file: 'task/complete.service.ts',
    fragment: 'task?.state === state && task.attempt === attempt && task.sessionId === sessionId',
    replacement: 'task?.state === state && task.sessionId === sessionId',
    found: 'task model',
  },
  'a completion counts off its dependents twice': {
    file: 'task/propagate.ts',
    fragment: 'count(*)::int as n from settled',
    replacement: '2 * count(*)::int as n from settled',
    found: 'task model',
  },
  'a running task that is cancelled can still be completed': {
    file: 'task/complete.service.ts',
    fragment: 'return task?.state === state && task.attempt',
    replacement: "return (task?.state === state || task?.state === 'cancelled') && task.attempt",
    found: 'task model',
    isSlow: true,
  },
  'a retried task keeps the attempts that it has used up': {
    file: 'task/retry.store.ts',
    fragment: 'attempts_used = 0, ',
    replacement: '',
    found: 'task model',
  },
  'a call that is sent again has its effect again': {
    file: 'db/idempotency.store.ts',
    fragment: 'if (key === undefined) return',
    replacement: "if (key !== 'never') return",
    found: 'task model',
  },
  'the end of a session leaves its attempts running': {
    file: 'agent/session.service.ts',
    fragment: 'const running = await lockRunningTasksOfSession(tx.em, id);',
    replacement: 'const running = (await lockRunningTasksOfSession(tx.em, id)).slice(0, 0);',
    found: 'task model',
    isSlow: true,
  },
  'the end of a session keeps its locks': {
    file: 'agent/session.service.ts',
    fragment: 'await forgetHolders(tx, { sessionIds: [id] });',
    replacement: '',
    found: 'lock model',
    isSlow: true,
  },
  'a new grant has the fence of the one before': {
    file: 'lock/lock.store.ts',
    fragment: 'else k.fence + excluded.fence end',
    replacement: 'else greatest(k.fence, 1) end',
    found: 'lock model',
  },
  'who comes later overtakes who waits': {
    file: 'lock/lock-rules.ts',
    fragment: 'const earlier = findEarlier(table, want, take);',
    replacement: 'const earlier = undefined;',
    found: 'lock model',
    isSlow: true,
  },
  'a resource is told that any fence is current': {
    file: 'lock/lock.store.ts',
    fragment: 'and g.fence = ${fence}',
    replacement: 'and ${fence} > 0',
    found: 'lock model',
  },
  'a key that one holds alone is shared with others': {
    file: 'lock/lock-rules.ts',
    fragment: "a === 'exclusive' || b === 'exclusive'",
    replacement: "a === 'exclusive' && b === 'exclusive'",
    found: ['overlapping holders', 'stale fence accepted'],
  },
  'a grant does not hold the rows of its keys': {
    file: 'lock/lock-gate.store.ts',
    fragment: 'and key = any(${keys}::text[]) order by key collate "C" for update`',
    replacement: 'and key = any(${keys}::text[]) order by key collate "C"`',
    found: ['overlapping holders', 'fence not risen'],
    isSlow: true,
  },
  'a claim does not hold the tasks that it looks at': {
    file: 'task/match.store.ts',
    fragment: 'limit s.share for update of t skip locked',
    replacement: 'limit s.share',
    found: ['unexplained execution'],
    isSlow: true,
  },
  'a submission is acknowledged and then not kept': {
    file: 'db/transaction.ts',
    fragment: 'await appendEvents(em, projectId, attempt.events);',
    replacement: `await appendEvents(em, projectId, attempt.events);
        if (attempt.events.some(({ name }) => name === 'task.submitted') && Math.random() < 0.1) await em.execute('rollback');`,
    found: ['lost task'],
  },
  'a completion is acknowledged and then not kept': {
    file: 'db/transaction.ts',
    fragment: 'await appendEvents(em, projectId, attempt.events);',
    replacement: `await appendEvents(em, projectId, attempt.events);
        if (attempt.events.some(({ name }) => name === 'task.completed') && Math.random() < 0.1) await em.execute('rollback');`,
    found: ['lost task', 'double completion'],
    isSlow: true,
  },
  'a completion that comes too late is said to be kept': {
    file: 'task/complete.service.ts',
    fragment: "held.isCurrent(completion) || held.isRepeated(completion, 'completed')",
    replacement: 'true',
    found: ['double completion', 'lost task'],
    isSlow: true,
  },
} as const satisfies Record<string, SeededBug>;

export type BugName = keyof typeof seededBugs;
