import type { LockMode, LockRequest } from '@baton/protocol';
import { type Effort, findCommon, readSpan, type Span } from './lock-key.ts';

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
  readonly places: number;
  /** The range of which the key was allocated. */
  readonly requested?: string | undefined;
  /**
   * The request in the queue that made it and by which alone it is held: it ends if nobody takes the answer. Undefined as
   * soon as its holder has it by anything else.
   */
  requestId?: string | undefined;
  /** 0 until the grant is written: the database numbers grants. */
  fence: number;
  readonly agentName: string;
  readonly heldMs: number;
  /** Null where it lives as long as its attempt. */
  expiresInMs: number | null;
}

export interface Wait {
  readonly key: string;
  readonly mode: LockMode;
  readonly places: number;
  readonly requestId: string;
}

/** Which members of the ranges of a space are held, and which are kept for those who wait for one. */
export interface Members {
  /** The first member from here on that nobody holds. */
  nextFree(member: number): number;
  /** For whom a free member is kept: the range that is waited for, and the place of that wait in the queue. */
  readonly reserved: ReadonlyMap<number, Reservation>;
}

export interface Reservation {
  readonly range: string;
  readonly place: number;
}

/**
 * What is true of some keys, and of all that meet them, while they are locked. Changed as wants are granted, so that one
 * decision sees the last.
 */
export interface LockTable {
  /** Of the keys that do not have just one. */
  readonly places: Map<string, number>;
  readonly grants: Grant[];
  /** In order of arrival. */
  readonly waits: Wait[];
  /** Keys that have been read already. */
  readonly spans: Map<string, Span>;
  /** What pairs of patterns have in common, where it has been asked already. */
  readonly met: Map<string, string | undefined>;
  readonly effort: Effort;
  /** By space, as the table is now: emptied when it changes. */
  readonly members: Map<string, Members>;
}

/** Keeps one transaction from comparing patterns for longer than some tenths of a second, however many meet in it. */
const effortMax = 100_000;

export const createTable = (given: Partial<Pick<LockTable, 'places' | 'grants' | 'waits'>> = {}): LockTable => ({
  places: given.places ?? new Map(),
  grants: given.grants ?? [],
  waits: given.waits ?? [],
  spans: new Map(),
  met: new Map(),
  effort: { left: effortMax },
  members: new Map(),
});

export const isSameHolder = (a: Holder, b: Holder): boolean =>
  a.sessionId === b.sessionId && (a.taskId ?? null) === (b.taskId ?? null) && (a.attempt ?? null) === (b.attempt ?? null);

export function spanOf({ spans }: Pick<LockTable, 'spans'>, key: string): Span {
  const known = spans.get(key);
  if (known !== undefined) return known;
  const span = readSpan(key);
  spans.set(key, span);
  return span;
}

/** As `findCommon`. */
export function commonOf(table: LockTable, a: string, b: string): string | undefined {
  const [left, right] = [spanOf(table, a), spanOf(table, b)];
  // Only patterns take long to compare.
  if (left.space !== 'file' || right.space !== 'file' || a === b) return findCommon(left, right);
  const pair = `${a}\n${b}`;
  const known = table.met.get(pair);
  if (known !== undefined || table.met.has(pair)) return known;
  const common = findCommon(left, right, table.effort);
  table.met.set(pair, common);
  return common;
}

export const placesOf = ({ places }: LockTable, key: string): number => places.get(key) ?? 1;

export function addGrant(table: LockTable, grant: Grant): void {
  table.grants.push(grant);
  table.members.clear();
}

export function removeGrant(table: LockTable, grant: Grant): void {
  table.grants.splice(table.grants.indexOf(grant), 1);
  table.members.clear();
}

export function addWaits(table: LockTable, waits: readonly Wait[]): void {
  table.waits.push(...waits);
  table.members.clear();
}

export function removeWaits(table: LockTable, requestId: string): void {
  const kept = table.waits.filter((wait) => wait.requestId !== requestId);
  table.waits.splice(0, table.waits.length, ...kept);
  table.members.clear();
}
