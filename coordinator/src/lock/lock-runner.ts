import { createBatcher } from '../db/batcher.ts';
import { type Database, transact } from '../db/transaction.ts';
import { type LockCall, type LockOutcome, runLockCalls } from './lock-batch.ts';

export interface LockLimits {
  readonly lockBatchMax: number;
  readonly lockCallsWaitingMax: number;
}

/** Serves the calls of each project that come at the same time in one transaction, in the order of their arrival. */
export function createLockRunner(
  db: Database,
  { lockBatchMax, lockCallsWaitingMax }: LockLimits,
): (projectId: string, call: LockCall) => Promise<LockOutcome> {
  const batchers = new Map<string, (call: LockCall) => Promise<LockOutcome>>();
  return (projectId, call) => {
    const batcher =
      batchers.get(projectId) ??
      createBatcher((calls: readonly LockCall[]) => transact(db, projectId, (tx) => runLockCalls(tx, calls)), {
        itemsMax: lockBatchMax,
        waitingMax: lockCallsWaitingMax,
      });
    batchers.set(projectId, batcher);
    return batcher(call);
  };
}
