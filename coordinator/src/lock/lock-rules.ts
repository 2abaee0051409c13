import { posix } from 'node:path';
import { CoordinatorError, type GrantedLock, type LockMode, type LockRequest } from '@baton/protocol';

/** For whom a lock is held: a session, and within it one attempt where the lock was taken for one. */
export interface Holder {
  readonly sessionId: string;
  readonly agentId: string;
  readonly agentName?: string | undefined;
  readonly taskId?: string | undefined;
  readonly attempt?: number | undefined;
}

export interface Want {
  readonly holder: Holder;
  readonly keys: readonly LockRequest[];
  /** Null where the lock lives as long as the attempt. */
  readonly ttlMs: number | null;
  /** The want's own place in the queue, which is no obstacle to itself. */
  readonly requestId?: string;
}

export interface Grant extends Holder {
  readonly id: string;
  readonly key: string;
  readonly mode: LockMode;
  readonly fence: number;
  readonly agentName: string;
}

export interface Wait {
  readonly key: string;
  readonly mode: LockMode;
  readonly requestId: string;
}

/** What is true of some keys while their rows are locked. Changed as wants are granted, so that one decision sees the last. */
export interface LockTable {
  readonly fences: Map<string, number>;
  readonly grants: Grant[];
  /** In order of arrival. */
  readonly waits: readonly Wait[];
}

export type Decision =
  | {
      readonly granted: readonly GrantedLock[];
      readonly made: readonly Grant[];
      readonly extended: readonly Grant[];
      readonly replaced: readonly Grant[];
    }
  | { readonly blockedBy: string };

/** The canonical form of a key, so that two ways of writing one file are one lock. */
export function normaliseKey(key: string): string {
  if (!key.startsWith('file:')) return key;
  const path = key.slice('file:'.length).replaceAll('\\', '/');
  const clean = posix.normalize(path);
  if (/[*?[\]{}]/.test(clean))
    throw new CoordinatorError('lock_key_invalid', { key, message: 'Patterns are not supported: name each file.' });
  if (clean === '.' || clean.startsWith('..'))
    throw new CoordinatorError('lock_key_invalid', { key, message: 'The path leads out of the project.' });
  return `file:${clean}`;
}

/** The keys of a want in their canonical form, in key order, each once; the stronger mode wins. */
export function normaliseRequests(requests: readonly LockRequest[]): LockRequest[] {
  const modes = new Map<string, LockMode>();
  for (const { key, mode } of requests) {
    const canonical = normaliseKey(key);
    modes.set(canonical, mode === 'exclusive' ? 'exclusive' : (modes.get(canonical) ?? 'shared'));
  }
  return [...modes].map(([key, mode]) => ({ key, mode })).sort((a, b) => (a.key < b.key ? -1 : 1));
}

const isSameHolder = (a: Holder, b: Holder): boolean =>
  a.sessionId === b.sessionId && (a.taskId ?? null) === (b.taskId ?? null) && (a.attempt ?? null) === (b.attempt ?? null);

const isConflict = (a: LockMode, b: LockMode): boolean => a === 'exclusive' || b === 'exclusive';

/** Whether somebody who came earlier waits for the key in a way that excludes this want. */
function isOvertaking({ waits }: LockTable, { key, mode }: LockRequest, requestId: string | undefined): boolean {
  const queue = waits.filter((wait) => wait.key === key);
  const own = queue.findIndex((wait) => wait.requestId === requestId);
  return queue.slice(0, own === -1 ? undefined : own).some((wait) => isConflict(wait.mode, mode));
}

/**
 * Grants all keys of a want or none. A holder is no obstacle to itself; whoever waits already is not overtaken. What is
 * granted is entered into the table. The caller holds the row locks of all keys in the table.
 */
export function decide(table: LockTable, want: Want, newId: () => string): Decision {
  for (const request of want.keys) {
    const grants = table.grants.filter(({ key }) => key === request.key);
    if (grants.some((grant) => !isSameHolder(grant, want.holder) && isConflict(grant.mode, request.mode)))
      return { blockedBy: request.key };
    const holdsAlready = grants.some((grant) => isSameHolder(grant, want.holder));
    if (!holdsAlready && isOvertaking(table, request, want.requestId)) return { blockedBy: request.key };
  }

  const outcome = { granted: [] as GrantedLock[], made: [] as Grant[], extended: [] as Grant[], replaced: [] as Grant[] };
  for (const { key, mode } of want.keys) {
    const own = table.grants.find((grant) => grant.key === key && isSameHolder(grant, want.holder));
    if (own !== undefined && (own.mode === 'exclusive' || own.mode === mode)) {
      outcome.extended.push(own);
      outcome.granted.push({ key, mode: own.mode, fence: own.fence });
      continue;
    }
    const fence = (table.fences.get(key) ?? 0) + 1;
    table.fences.set(key, fence);
    if (own !== undefined) {
      outcome.replaced.push(own);
      table.grants.splice(table.grants.indexOf(own), 1);
    }
    const grant: Grant = { ...want.holder, id: newId(), key, mode, fence, agentName: want.holder.agentName ?? '' };
    table.grants.push(grant);
    outcome.made.push(grant);
    outcome.granted.push({ key, mode, fence });
  }
  return outcome;
}
