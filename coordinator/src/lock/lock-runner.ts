import { createBatcher } from '../db/batcher.ts';
import { type Database, transact } from '../db/transaction.ts';
import { type LockCall, type LockOutcome, type QueueLimits, runLockCalls } from './lock-batch.ts';

export interface LockLimits extends QueueLimits {
  /** How many grants one request may lead to. */
  readonly lockGrantsMax: number;
  readonly lockBatchMax: number;
  readonly lockCallsWaitingMax: number;
}

/** Serves the calls of each project that come at the same time in one transaction, in the order of their arrival. */
export function createLockRunner(db: Database, limits: LockLimits): (projectId: string, call: LockCall) => Promise<LockOutcome> {
  const batchers = new Map<string, (call: LockCall) => Promise<LockOutcome>>();
  return (projectId, call) => {
    const batcher =
      batchers.get(projectId) ??
      createBatcher((calls: readonly LockCall[]) => transact(db, projectId, (tx) => runLockCalls(tx, limits, calls)), {
        itemsMax: limits.lockBatchMax,
        waitingMax: limits.lockCallsWaitingMax,
      });
    batchers.set(projectId, batcher);
    return batcher(call);
  };
}
