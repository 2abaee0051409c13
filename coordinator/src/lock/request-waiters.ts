import type { Database } from '../db/transaction.ts';
import { listUndecidedRequests } from './lock-request.store.ts';

/** The calls of this coordinator that wait in the queue of a lock. A release wakes the one that it serves and no other. */
export interface RequestWaiters {
  /** Ends when the request may have been decided, when so much time has passed, or when the signal aborts. */
  wait(requestId: string, limit: { readonly waitMs: number; readonly signal: AbortSignal }): Promise<void>;
  stop(): void;
}

export function createRequestWaiters(db: Database, { pollMs }: { readonly pollMs: number }): RequestWaiters {
  const waiting = new Map<string, () => void>();

  const off = db.changes.onChange(({ requestIds = [] }) => {
    for (const id of requestIds) waiting.get(id)?.();
  });

  // Behind the hints, one look for all: a hint may be lost on its way from another coordinator.
  let isLooking = false;
  const look = async () => {
    if (isLooking || waiting.size === 0) return;
    isLooking = true;
    try {
      const ids = [...waiting.keys()];
      const undecided = await listUndecidedRequests(db.em.fork(), ids);
      for (const id of ids) if (!undecided.has(id)) waiting.get(id)?.();
    } catch {
      // The database is away for a moment. Whoever waits goes on waiting, and is told when it asks for itself.
    } finally {
      isLooking = false;
    }
  };
  const poll = setInterval(() => void look(), pollMs);

  return {
    wait(requestId, { waitMs, signal }) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, waitMs);
      waiting.set(requestId, resolve);
      signal.addEventListener('abort', () => resolve(), { once: true });
      if (signal.aborted) resolve();
      return promise.finally(() => {
        clearTimeout(timer);
        waiting.delete(requestId);
      });
    },
    stop() {
      clearInterval(poll);
      off();
      for (const wake of waiting.values()) wake();
    },
  };
}
