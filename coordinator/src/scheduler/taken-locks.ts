import type { EntityManager } from '../db/orm.ts';
import { createTable } from '../lock/lock-table.ts';
import { decideWant } from '../lock/lock-table.service.ts';
import { readTable } from '../lock/lock.store.ts';
import type { TakenLock } from './explain-rules.ts';
import type { TaskFacts } from './explain.store.ts';

/** Of ready tasks, by their ids, the first of the declared locks that cannot be had: by the rule by which locks are granted. */
export async function findTakenLocks(em: EntityManager, projectId: string, tasks: readonly TaskFacts[]): Promise<Map<string, TakenLock>> {
  const taken = new Map<string, TakenLock>();
  const declaring = tasks.filter(({ state, locks }) => state === 'ready' && locks.length > 0);
  if (declaring.length === 0) return taken;
  const keys = new Set(declaring.flatMap(({ locks }) => locks.map(({ key }) => key)));
  const { places, grants, waits } = await readTable(em, projectId, [...keys]);
  for (const { taskId, locks, waitingKey } of declaring) {
    // A table of its own for each: what would be granted to one is not granted.
    const decision = decideWant(createTable({ places, grants: [...grants], waits }), { holder: nobody, keys: locks, ttlMs: null });
    if ('blockedBy' in decision) {
      const holders = decision.blockers.map(({ agentName }) => agentName);
      taken.set(taskId, { key: decision.requested, holders: [...new Set(holders)] });
    } else if (waitingKey !== null) {
      // Free again, and not yet offered to those that wait.
      taken.set(taskId, { key: waitingKey, holders: [] });
    }
  }
  return taken;
}

/** Whoever would be given the task holds nothing of it yet. */
const nobody = { sessionId: '', agentId: '' };
