import type { Operation } from './history.ts';

/** A time in which somebody certainly held something: from the answer that granted it to the first reason for doubt. */
export interface Hold {
  /** `task …`, or the key of a lock. */
  readonly what: string;
  /** The number of the attempt, or the fence of the lock. */
  readonly fence: number;
  readonly mode: 'exclusive' | 'shared';
  readonly session: string;
  readonly from: number;
  readonly until: number;
  readonly operation: Operation;
}

interface Claimed {
  readonly taskId: string;
  readonly attempt: number;
  readonly timeoutMs: number;
  readonly locks: readonly Granted[];
}

interface Granted {
  readonly key: string;
  readonly mode: 'exclusive' | 'shared';
  readonly fence: number;
}

/** The clocks of client and database may count a little differently: a time to live is believed for so much of it. */
const believed = 0.9;
const never = Number.POSITIVE_INFINITY;
const endings = ['task/complete', 'task/fail', 'task/release'];

export const claimsOf = ({ result }: Operation): readonly Claimed[] => (result as { claims: Claimed[] }).claims;
const locksOf = ({ result }: Operation): readonly Granted[] => (result as { locks: Granted[] }).locks;

/** All that was certainly held: attempts, the locks that came with them, and the locks that were asked for. */
export function listHolds(operations: readonly Operation[]): Hold[] {
  const proofs = findLastProofs(operations);
  const endings = indexEndings(operations);
  return operations.flatMap((operation): Hold[] => {
    const { outcome, method, session, invokedAt, endedAt: from } = operation;
    if (outcome !== 'ok' || session === undefined || from === undefined) return [];
    const hold = { session, from, operation };
    const aliveUntil = proofs.get(session) ?? Number.NEGATIVE_INFINITY;
    if (method === 'task/claim') {
      return claimsOf(operation).flatMap(({ taskId, attempt, timeoutMs, locks }) => {
        const until = Math.min(invokedAt + believed * timeoutMs, aliveUntil, endings.ofAttempt(operation, taskId, attempt));
        return [
          { ...hold, what: `task ${taskId}`, fence: attempt, mode: 'exclusive' as const, until },
          ...locks.map(({ key, mode, fence }) => ({ ...hold, what: key, fence, mode, until })),
        ];
      });
    }
    if (method !== 'lock/acquire') return [];
    const expiresAt = invokedAt + believed * Number(operation.params['ttlMs']);
    return locksOf(operation).map(({ key, mode, fence }) => {
      const until = Math.min(expiresAt, aliveUntil, endings.ofLock(operation, key));
      return { ...hold, what: key, fence, mode, until };
    });
  });
}

/** When each session was last known to live: a call that only a living session is answered was made then. */
function findLastProofs(operations: readonly Operation[]): Map<string, number> {
  const proofs = new Map<string, number>();
  for (const operation of operations) {
    const { outcome, method, session, invokedAt } = operation;
    if (outcome !== 'ok' || session === undefined) continue;
    const isProof =
      method === 'lock/acquire' || method === 'agent/heartbeat' || (method === 'task/claim' && claimsOf(operation).length > 0);
    if (isProof) proofs.set(session, Math.max(proofs.get(session) ?? invokedAt, invokedAt));
  }
  return proofs;
}

/** The calls that may have ended what was held, and since when: what is not known to have ended may still take effect. */
function indexEndings(operations: readonly Operation[]) {
  const possible = operations.filter(({ outcome }) => outcome !== 'fail');
  const byName = Map.groupBy(
    possible.filter(({ method }) => endings.includes(method) || method === 'task/cancel' || method === 'lock/release'),
    ({ method, session, params }) => {
      if (method === 'lock/release') return `release ${session}`;
      return method === 'task/cancel' ? `cancel ${String(params['taskId'])}` : `${String(params['taskId'])} ${String(params['attempt'])}`;
    },
  );
  const first = (name: string, { invokedAt }: Operation, concerns: (each: Operation) => boolean = () => true): number => {
    const candidates = (byName.get(name) ?? []).filter((each) => (each.outcome === 'ok' ? (each.endedAt ?? never) : never) >= invokedAt);
    return Math.min(never, ...candidates.filter(concerns).map((each) => each.invokedAt));
  };
  return {
    ofAttempt: (claim: Operation, taskId: string, attempt: number) =>
      Math.min(first(`${taskId} ${attempt}`, claim), first(`cancel ${taskId}`, claim)),
    ofLock: (acquire: Operation, key: string) =>
      first(`release ${acquire.session}`, acquire, ({ params }) => (params['keys'] as string[] | undefined)?.includes(key) ?? true),
  };
}
