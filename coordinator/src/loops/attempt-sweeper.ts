import { sql } from 'kysely';
import { rowsOf } from '../db/rows.ts';
import { type Database, transact } from '../db/transaction.ts';
import type { Log } from '../log.ts';
import { type AttemptEndParts, endAttempts } from '../task/attempt-end.service.ts';
import { holdFreePlaces } from '../task/places.store.ts';
import { lockTasks } from '../task/task.store.ts';
import { createLoop, type Loop } from './loop.ts';

export interface AttemptSweeperParts {
  readonly db: Database;
  readonly attempts: AttemptEndParts;
  readonly sweepMs: number;
  readonly log: Log;
}

/** How many overdue attempts one run ends. */
const overdueMax = 500;

/** Ends attempts that took longer than their task allows, by the database's clock, and tells their agents to stop. */
export function createAttemptSweeper({ db, attempts, sweepMs, log }: AttemptSweeperParts): Loop {
  return createLoop({
    name: 'attempt sweeper',
    intervalMs: sweepMs,
    log,
    async run() {
      const overdue = await rowsOf(
        db.em.fork(),
        sql<{
          id: string;
          projectId: string;
        }>`select id, project_id from tasks where state = 'running' and deadline_at <= clock_timestamp() order by deadline_at limit ${overdueMax}`,
      );
      for (const [projectId, rows] of Map.groupBy(overdue, ({ projectId }) => projectId)) {
        const ids = rows.map(({ id }) => id);
        // One project that cannot be swept must not hold up the others.
        await endOverdue(db, attempts, projectId, ids).catch((error: unknown) =>
          log.error({ err: error, projectId }, 'overdue attempts could not be ended'),
        );
      }
    },
  });
}

const endOverdue = (db: Database, parts: AttemptEndParts, projectId: string, ids: readonly string[]): Promise<void> =>
  transact(db, projectId, async (tx) => {
    // Not waited for: one held ticket would keep all overdue attempts running.
    const placed = await holdFreePlaces(tx, ids);
    await lockTasks(tx, ids);
    // Read again under the lock: a task may have ended, and begun another attempt, since it was found.
    const overdue = await rowsOf(
      tx.em,
      sql<{ id: string }>`select id from tasks where id = any(${ids}::uuid[]) and state = 'running' and deadline_at <= clock_timestamp()`,
    );
    const tasks = await lockTasks(
      tx,
      overdue.map(({ id }) => id),
    );
    const error = { code: 'timed_out', message: 'The attempt took longer than the task allows.' };
    await endAttempts(
      tx,
      parts,
      tasks.map((task) => ({ task, outcome: 'timed_out', error, permanent: false, isUnnoted: !placed.has(task.id) })),
    );
    tx.afterCommit(() => {
      for (const { id, attempt, sessionId } of tasks)
        if (sessionId !== null) parts.sessions.revoke(sessionId, { taskId: id, attempt, reason: 'timed_out' });
    });
  });
