import type { GrantedLock, LockMode, LockRequest } from '@baton/protocol';
import { membersOf } from './lock-reservations.ts';
import {
  addGrant,
  commonOf,
  type Grant,
  type Holder,
  isSameHolder,
  type LockTable,
  placesOf,
  removeGrant,
  spanOf,
  type Wait,
  type Want,
} from './lock-table.ts';

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

type Step =
  | { readonly extend: Grant }
  | { readonly take: Pick<Grant, 'key' | 'mode' | 'places' | 'requested'>; readonly replaces?: Grant | undefined };

const isEnough = (held: LockMode, wanted: LockMode): boolean => held === 'exclusive' || held === wanted;

const isConflict = (a: LockMode, b: LockMode): boolean => a === 'exclusive' || b === 'exclusive';

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
  return apply(table, want, { steps, newId });
}

function decideKey(table: LockTable, want: Want, { key, mode, places = 1 }: LockRequest): Step | Obstacle {
  const own = table.grants.find((grant) => grant.key === key && isSameHolder(grant, want.holder));
  if (own !== undefined && isEnough(own.mode, mode) && own.places >= places) return { extend: own };
  const take = {
    key,
    mode: own?.mode === 'exclusive' ? own.mode : mode,
    places: Math.max(places, own?.places ?? 1),
    requested: own?.requested,
  };

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
  for (const wait of waits) {
    // It cannot be served until the key has more places, and holds nobody up until then.
    if (!isConflict(wait.mode, mode) || wait.places > placesOf(table, wait.key) || spanOf(table, wait.key).range !== undefined) continue;
    const witness = commonOf(table, wait.key, key);
    if (witness !== undefined) return { by: wait.key, witness };
  }
  const { space, number } = spanOf(table, key);
  const kept = number === undefined ? undefined : membersOf(table, space).reserved.get(number);
  return kept === undefined || kept.place >= waits.length ? undefined : { by: kept.range, witness: String(number) };
}

function waitsBefore({ waits }: LockTable, { requestId }: Want): readonly Wait[] {
  const own = requestId === undefined ? -1 : waits.findIndex((wait) => wait.requestId === requestId);
  return waits.slice(0, own === -1 ? undefined : own);
}

/** Finds free members of a range, the lowest first, passing over what those who came earlier wait for. */
function allocate(
  table: LockTable,
  want: Want,
  { request: { key, mode, places = 1 }, steps }: { readonly request: LockRequest; readonly steps: readonly Step[] },
): Step[] | Obstacle {
  const { space, range } = spanOf(table, key);
  if (range === undefined) throw new Error(`${key} is no range.`);
  const allocated: Step[] = [];
  const mine = table.grants.filter((grant) => grant.requested === key && isSameHolder(grant, want.holder)).slice(0, places);
  for (const own of mine) {
    // Wanted by its name as well, it is replaced once.
    if (steps.some((step) => 'take' in step && step.replaces === own)) continue;
    const step = isEnough(own.mode, mode) ? { extend: own } : decideKey(table, want, { key: own.key, mode });
    if ('blockedBy' in step) return step;
    allocated.push(step);
  }
  const missing = places - mine.length;
  const fresh: Step[] = [];

  const earlier = waitsBefore(table, want);
  const { nextFree, reserved } = membersOf(table, space);
  const taken = new Set<number | undefined>();
  for (const wait of earlier) if (spanOf(table, wait.key).space === space) taken.add(spanOf(table, wait.key).number);
  for (const step of steps)
    if ('take' in step && spanOf(table, step.take.key).space === space) taken.add(spanOf(table, step.take.key).number);

  for (let member = nextFree(range.low); member <= range.high && fresh.length < missing; member = nextFree(member + 1)) {
    if (taken.has(member) || (reserved.get(member)?.place ?? earlier.length) < earlier.length) continue;
    fresh.push({ take: { key: `${space}:${member}`, mode, places: 1, requested: key } });
  }
  if (fresh.length === missing) return [...allocated, ...fresh];
  const isBlocker = (grant: Grant) => {
    const { space: in_, number } = spanOf(table, grant.key);
    const isMember = in_ === space && number !== undefined && number >= range.low && number <= range.high;
    return isMember && !isSameHolder(grant, want.holder);
  };
  return { blockedBy: key, requested: key, blockers: table.grants.filter(isBlocker) };
}

function apply(
  table: LockTable,
  { holder, ttlMs, requestId }: Want,
  { steps, newId }: { readonly steps: readonly Step[]; readonly newId: () => string },
): Granted {
  const outcome = { granted: [] as GrantedLock[], made: [] as Grant[], extended: [] as Grant[], replaced: [] as Grant[] };
  for (const step of steps) {
    if ('extend' in step) {
      step.extend.expiresInMs = longerOf(step.extend.expiresInMs, ttlMs);
      step.extend.requestId = undefined;
      outcome.extended.push(step.extend);
      outcome.granted.push(toGranted(step.extend));
      continue;
    }
    const { take, replaces } = step;
    if (replaces !== undefined) {
      outcome.replaced.push(replaces);
      removeGrant(table, replaces);
    }
    const grant: Grant = {
      ...holder,
      ...take,
      id: newId(),
      // What takes the place of something that its holder has is not taken away with the request.
      requestId: replaces === undefined ? requestId : undefined,
      fence: 0,
      agentName: holder.agentName ?? '',
      heldMs: 0,
      expiresInMs: replaces === undefined ? ttlMs : longerOf(replaces.expiresInMs, ttlMs),
    };
    addGrant(table, grant);
    outcome.made.push(grant);
    outcome.granted.push(toGranted(grant));
  }
  outcome.granted.sort((a, b) => compareText(a.requested ?? a.key, b.requested ?? b.key));
  return outcome;
}

/** Nothing is shortened by asking again, and what lives as long as its attempt goes on doing so. */
const longerOf = (held: number | null, ttlMs: number | null): number | null =>
  held === null || ttlMs === null ? null : Math.max(held, ttlMs);

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

export const toGranted = ({ key, mode, fence, places, requested }: Grant): GrantedLock => ({
  key,
  mode,
  fence,
  ...(places > 1 && { places }),
  ...(requested !== undefined && { requested }),
});
