import type { NewContextItem, Role } from '@baton/protocol';
import { noteReturned } from '../context/context.service.ts';
import { itemsOfFailure } from '../context/returned-items.ts';
import type { Tx } from '../db/transaction.ts';
import { findAttemptWork } from './attempt.store.ts';
import type { LockedTask } from './task.store.ts';

/** An attempt that ends without a result, whoever ends it. */
export interface UnfinishedAttempt {
  /** Running, and locked by this transaction, which holds its visit as well where anything is noted. */
  readonly task: LockedTask;
  /** What its agent has to say. */
  readonly context?: readonly NewContextItem[];
  /** Of the agent's token; absent where the coordinator ends the attempt. */
  readonly role?: Role | undefined;
  /** Nothing of it is noted: no agent has had it, so that nothing was done under its locks, or its visit is not held. */
  readonly isUnnoted?: boolean;
}

/** Notes what attempts leave: what their agents say, and which files they held, which is where the next ones have to look. */
export async function noteUnfinished(tx: Tx, attempts: readonly UnfinishedAttempt[]): Promise<void> {
  const noted = attempts.filter(({ isUnnoted = false }) => !isUnnoted);
  const work = await findAttemptWork(
    tx.em,
    noted.map(({ task }) => ({ taskId: task.id, attempt: task.attempt })),
  );
  await noteReturned(
    tx,
    noted.flatMap(({ task, context = [], role }) => {
      const { id: taskId, attempt, ticketId, visitId, visitNumber, phase, title } = task;
      const done = work.get(taskId);
      if (done === undefined) return [];
      const origin = { ticketId, visitId, visitNumber, phase, author: done.agentName, role, taskId, attempt };
      return [itemsOfFailure(origin, { context, title, locks: done.locks })];
    }),
  );
}
