import type { Claim, Client, GrantedLock } from '@baton/protocol';
import type { HeldLock, LockOptions, LockWish } from './task-context.ts';

const lockWaitMs = 30_000;

export interface AttemptLocks {
  acquire(keys: LockWish | readonly LockWish[], options?: LockOptions): Promise<HeldLock>;
  lose(key: string, fence: number): void;
}

/** The locks that one attempt takes in its course. All of them end with the attempt at the latest. */
export function createAttemptLocks({
  claim,
  client,
  signal,
}: {
  readonly claim: Claim;
  readonly client: Client;
  readonly signal: AbortSignal;
}): AttemptLocks {
  const holder = { taskId: claim.taskId, attempt: claim.attempt };
  const held = new Set<{ locks: readonly GrantedLock[]; lost: AbortController }>();
  // How often this attempt holds a key. The coordinator counts a holder once, so only the last to let go may give it back.
  const holds = new Map<string, number>(claim.locks.map(({ key }) => [key, 1]));
  const changeHolds = (key: string, by: number) => {
    const count = (holds.get(key) ?? 0) + by;
    if (count > 0) holds.set(key, count);
    else holds.delete(key);
    return count;
  };

  return {
    async acquire(wishes, { ttlMs, waitMs = lockWaitMs } = {}) {
      const keys = (Array.isArray(wishes) ? (wishes as readonly LockWish[]) : [wishes as LockWish]).map((wish) =>
        typeof wish === 'string' ? { key: wish } : wish,
      );
      // The attempt ends after its time-out anyway, and its locks with it: nothing has to renew them until then.
      const { locks } = await client.lock.acquire({ keys, waitMs, ttlMs: ttlMs ?? claim.timeoutMs, ...holder }, { signal });
      const hold = { locks, lost: new AbortController() };
      held.add(hold);
      for (const { key } of locks) changeHolds(key, 1);

      const release = async () => {
        if (!held.delete(hold)) return;
        const free = locks.filter(({ key }) => changeHolds(key, -1) === 0).map(({ key }) => key);
        // An aborted attempt has lost its locks or is about to; asking for it could only hide the reason of the abort.
        if (free.length > 0 && !signal.aborted) await client.lock.release({ keys: free, ...holder });
      };
      const fences = Object.fromEntries(locks.map(({ key, fence }) => [key, fence]));
      return {
        fence: findFirst(keys, locks)?.fence ?? 0,
        fences,
        keys: locks.map(({ key }) => key),
        signal: hold.lost.signal,
        async check() {
          const checks = locks.map(({ key, fence }) => client.lock.check({ key, fence }, { signal }));
          return (await Promise.all(checks)).every(({ valid }) => valid);
        },
        release,
        [Symbol.asyncDispose]: release,
      };
    },
    lose(key, fence) {
      for (const { locks, lost } of held) {
        if (locks.some((lock) => lock.key === key && lock.fence === fence))
          lost.abort(new Error(`The lock ${key} with fence ${fence} is lost.`));
      }
    },
  };
}

/** What was granted for the first key that was asked for, which may be a member of a range or another way to write a path. */
const findFirst = ([first]: readonly { readonly key: string }[], locks: readonly GrantedLock[]): GrantedLock | undefined =>
  locks.find(({ key, requested }) => key === first?.key || requested === first?.key) ?? locks[0];
