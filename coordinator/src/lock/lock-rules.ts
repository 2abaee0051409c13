import type { GrantedLock, LockMode, LockRequest } from '@baton/protocol';
import { findCommon, readSpan, type Span } from './lock-key.ts';

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
  /** 0 until the grant is written: the database numbers grants. */
  fence: number;
  readonly agentName: string;
  readonly heldMs: number;
  readonly expiresInMs: number | null;
}

export interface Wait {
  readonly key: string;
  readonly mode: LockMode;
  readonly places: number;
  readonly requestId: string;
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
}

export interface Granted {
  /** In key order. The fences of what is newly held are 0 until the decision is written. */
  readonly granted: readonly GrantedLock[];
  readonly made: readonly Grant[];
  readonly extended: readonly Grant[];
  readonly replaced: readonly Grant[];
}

export interface Obstacle {
  /** The key whose release may help: what is held, what is waited for by somebody earlier, or the range that is used up. */
  readonly blockedBy: string;
  /** The key that was wanted. */
  readonly requested: string;
  /** A resource that both stand for, where they are two keys. */
  readonly witness?: string | undefined;
  readonly blockers: readonly Grant[];
}

export type Decision = Granted | Obstacle;

export const emptyTable = (): LockTable => ({ places: new Map(), grants: [], waits: [], spans: new Map() });

type Step =
  | { readonly extend: Grant }
  | { readonly take: Pick<Grant, 'key' | 'mode' | 'places' | 'requested'>; readonly replaces?: Grant | undefined };

export const isSameHolder = (a: Holder, b: Holder): boolean =>
  a.sessionId === b.sessionId && (a.taskId ?? null) === (b.taskId ?? null) && (a.attempt ?? null) === (b.attempt ?? null);

const isConflict = (a: LockMode, b: LockMode): boolean => a === 'exclusive' || b === 'exclusive';

export function spanOf({ spans }: Pick<LockTable, 'spans'>, key: string): Span {
  const span = spans.get(key) ?? readSpan(key);
  spans.set(key, span);
  return span;
}

const commonOf = (table: LockTable, a: string, b: string): string | undefined => findCommon(spanOf(table, a), spanOf(table, b));

/**
 * Grants all keys of a want or none. A holder is no obstacle to itself; whoever waits already is not overtaken. What is
 * granted is entered into the table. The caller holds the locks of all keys in the table.
 */
export function decide(table: LockTable, want: Want, newId: () => string): Decision {
  const steps: Step[] = [];
  const isRange = ({ key }: LockRequest) => spanOf(table, key).range !== undefined;
  for (const request of want.keys.filter((request) => !isRange(request))) {
    const step = decideKey(table, want, request);
    if ('blockedBy' in step) return step;
    steps.push(step);
  }
  // After the others, so that a member that is wanted by its name is not allocated as well.
  for (const request of want.keys.filter(isRange)) {
    const allocated = allocate(table, want, { request, steps });
    if ('blockedBy' in allocated) return allocated;
    steps.push(...allocated);
  }
  return apply(table, want.holder, { steps, ttlMs: want.ttlMs, newId });
}

function decideKey(table: LockTable, want: Want, { key, mode, places = 1 }: LockRequest): Step | Obstacle {
  const own = table.grants.find((grant) => grant.key === key && isSameHolder(grant, want.holder));
  if (own !== undefined && (own.mode === 'exclusive' || own.mode === mode) && own.places >= places) return { extend: own };
  const take = { key, mode: own?.mode === 'exclusive' ? own.mode : mode, places: Math.max(places, own?.places ?? 1) };

  const others = table.grants.filter((grant) => !isSameHolder(grant, want.holder));
  // Who holds places of the same key is counted; who holds it otherwise, or another key that meets it, is in the way.
  const isCounted = (grant: Grant) => grant.key === key && grant.mode === 'exclusive' && take.mode === 'exclusive';
  for (const other of others) {
    if (!isConflict(other.mode, take.mode) || isCounted(other)) continue;
    const witness = commonOf(table, other.key, key);
    if (witness !== undefined) return toObstacle(table, { key, by: other.key, witness, holder: want.holder });
  }
  const used = others.filter(isCounted).reduce((sum, grant) => sum + grant.places, 0);
  if (take.mode === 'exclusive' && used + take.places > placesOf(table, key))
    return toObstacle(table, { key, by: key, witness: undefined, holder: want.holder });

  const earlier = findEarlier(table, want, take);
  if (earlier !== undefined) return toObstacle(table, { ...earlier, key, holder: want.holder });
  return { take, replaces: own };
}

export const placesOf = ({ places }: LockTable, key: string): number => places.get(key) ?? 1;

interface Blocking {
  readonly key: string;
  readonly by: string;
  readonly witness: string | undefined;
  readonly holder: Holder;
}

const toObstacle = ({ grants }: LockTable, { key, by, witness, holder }: Blocking): Obstacle => ({
  blockedBy: by,
  requested: key,
  ...(by !== key && { witness }),
  blockers: grants.filter((grant) => grant.key === by && !isSameHolder(grant, holder)),
});

/** Who came earlier and waits for something that this would take from them. */
function findEarlier(
  table: LockTable,
  want: Want,
  { key, mode }: Pick<LockRequest, 'key' | 'mode'>,
): { readonly by: string; readonly witness: string | undefined } | undefined {
  const waits = waitsBefore(table, want);
  if (waits.length === 0) return undefined;
  const holdsSome = table.grants.some((grant) => isSameHolder(grant, want.holder) && commonOf(table, grant.key, key) !== undefined);
  if (holdsSome) return undefined;
  const { space, number } = spanOf(table, key);
  const reserved = number === undefined ? new Map<number, string>() : reserve(table, space, waits);
  for (const wait of waits) {
    // It cannot be served until the key has more places, and holds nobody up until then.
    if (!isConflict(wait.mode, mode) || wait.places > placesOf(table, wait.key) || spanOf(table, wait.key).range !== undefined) continue;
    const witness = commonOf(table, wait.key, key);
    if (witness !== undefined) return { by: wait.key, witness };
  }
  const range = number === undefined ? undefined : reserved.get(number);
  return range === undefined ? undefined : { by: range, witness: String(number) };
}

function waitsBefore({ waits }: LockTable, { requestId }: Want): readonly Wait[] {
  const own = requestId === undefined ? -1 : waits.findIndex((wait) => wait.requestId === requestId);
  return waits.slice(0, own === -1 ? undefined : own);
}

/** The free members that those who wait for a range would be given, in the order of arrival, with the range that each waits for. */
function reserve(table: LockTable, space: string, waits: readonly Wait[]): Map<number, string> {
  const held = heldMembers(table, space);
  const reserved = new Map<number, string>();
  for (const { key, places } of waits) {
    const { space: in_, range } = spanOf(table, key);
    if (in_ !== space || range === undefined) continue;
    let missing = places;
    for (let member = range.low; member <= range.high && missing > 0; member += 1) {
      if (held.has(member) || reserved.has(member)) continue;
      reserved.set(member, key);
      missing -= 1;
    }
  }
  return reserved;
}

function heldMembers(table: LockTable, space: string): Set<number> {
  const held = new Set<number>();
  for (const { key } of table.grants) {
    const span = spanOf(table, key);
    if (span.space === space && span.number !== undefined) held.add(span.number);
  }
  return held;
}

/** Finds free members of a range, the lowest first, passing over what those who came earlier wait for. */
function allocate(
  table: LockTable,
  want: Want,
  { request: { key, mode, places = 1 }, steps }: { readonly request: LockRequest; readonly steps: readonly Step[] },
): Step[] | Obstacle {
  const { space, range } = spanOf(table, key);
  if (range === undefined) throw new Error(`${key} is no range.`);
  const own = table.grants.filter((grant) => grant.requested === key && isSameHolder(grant, want.holder)).slice(0, places);
  const allocated: Step[] = own.map((grant) => ({ extend: grant }));

  const earlier = waitsBefore(table, want);
  const reserved = reserve(table, space, earlier);
  const taken = heldMembers(table, space);
  for (const wait of earlier) {
    const { space: in_, number } = spanOf(table, wait.key);
    if (in_ === space && number !== undefined) taken.add(number);
  }
  for (const step of steps) if ('take' in step) taken.add(spanOf(table, step.take.key).number ?? -1);

  for (let member = range.low; member <= range.high && allocated.length < places; member += 1) {
    if (taken.has(member) || reserved.has(member)) continue;
    allocated.push({ take: { key: `${space}:${member}`, mode, places: 1, requested: key } });
  }
  if (allocated.length >= places) return allocated;
  const isBlocker = (grant: Grant) => !isSameHolder(grant, want.holder) && commonOf(table, grant.key, key) !== undefined;
  return { blockedBy: key, requested: key, blockers: table.grants.filter(isBlocker) };
}

interface Plan {
  readonly steps: readonly Step[];
  readonly ttlMs: number | null;
  readonly newId: () => string;
}

function apply(table: LockTable, holder: Holder, { steps, ttlMs, newId }: Plan): Granted {
  const outcome = { granted: [] as GrantedLock[], made: [] as Grant[], extended: [] as Grant[], replaced: [] as Grant[] };
  for (const step of steps) {
    if ('extend' in step) {
      outcome.extended.push(step.extend);
      outcome.granted.push(toGranted(step.extend));
      continue;
    }
    const { take, replaces } = step;
    if (replaces !== undefined) {
      outcome.replaced.push(replaces);
      table.grants.splice(table.grants.indexOf(replaces), 1);
    }
    const grant: Grant = { ...holder, ...take, id: newId(), fence: 0, agentName: holder.agentName ?? '', heldMs: 0, expiresInMs: ttlMs };
    table.grants.push(grant);
    outcome.made.push(grant);
    outcome.granted.push(toGranted(grant));
  }
  outcome.granted.sort((a, b) => compareText(a.requested ?? a.key, b.requested ?? b.key));
  return outcome;
}

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

export const toGranted = ({ key, mode, fence, places, requested }: Grant): GrantedLock => ({
  key,
  mode,
  fence,
  ...(places > 1 && { places }),
  ...(requested !== undefined && { requested }),
});
