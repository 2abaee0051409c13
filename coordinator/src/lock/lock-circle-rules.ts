import { decide, type Obstacle } from './lock-rules.ts';
import type { WaitingRequest } from './lock-request.store.ts';
import { createTable, type Grant, type Holder, isSameHolder, type LockTable, removeGrant, removeWaits } from './lock-table.ts';

/** Who waits in a project, in order of arrival, and what those hold who wait. */
export interface Queues {
  readonly requests: readonly WaitingRequest[];
  readonly grants: readonly Grant[];
  /** Of the keys that do not have just one. */
  readonly places: ReadonlyMap<string, number>;
}

/** One that waits, and the key that it waits for. */
export interface Link {
  readonly request: WaitingRequest;
  readonly obstacle: Obstacle;
}

interface Circles {
  /** Those who would wait for ever, in order of arrival. */
  readonly stuck: readonly WaitingRequest[];
  /** The circle that a stuck request waits in or waits for, each waiting for the next; undefined where it waits for none. */
  circleOf(request: WaitingRequest): readonly Link[] | undefined;
}

/**
 * Finds those who would wait for ever if everybody gave back what it holds as soon as it waits for nothing any more. Locks are
 * handed out by the rules by which they are decided, so that queues, places, ranges and patterns count as they do there.
 */
export function findCircles({ requests, grants, places }: Queues): Circles {
  const table = createTable({
    places: new Map(places),
    grants: [...grants],
    waits: requests.flatMap(({ id, keys }) => keys.map(({ key, mode, places = 1 }) => ({ key, mode, places, requestId: id }))),
  });
  let stuck = [...requests];
  for (let count = -1; count !== stuck.length;) {
    count = stuck.length;
    const waiting = new Set(stuck.map(nameOf));
    for (const grant of table.grants.filter((grant) => !waiting.has(nameOf(grant)))) removeGrant(table, grant);
    stuck = stuck.filter((request) => {
      if ('blockedBy' in decideRequest(table, request)) return true;
      removeWaits(table, request.id);
      return false;
    });
  }
  return { stuck, circleOf: (request) => followWaits(table, stuck, request) };
}

const nameOf = ({ sessionId, taskId, attempt }: Holder): string => `${sessionId} ${taskId ?? ''} ${attempt ?? ''}`;

const decideRequest = (table: LockTable, request: WaitingRequest) =>
  decide(table, { holder: request, keys: request.keys, ttlMs: request.ttlMs, requestId: request.id }, () => request.id);

function followWaits(table: LockTable, stuck: readonly WaitingRequest[], first: WaitingRequest): readonly Link[] | undefined {
  const way: Link[] = [];
  for (let request: WaitingRequest | undefined = first; request !== undefined;) {
    const known = way.findIndex((link) => link.request === request);
    if (known !== -1) return way.slice(known);
    const obstacle = decideRequest(table, request);
    if (!('blockedBy' in obstacle)) return undefined;
    way.push({ request, obstacle });
    request = findNext(table, stuck, { request, obstacle });
  }
  return undefined;
}

/** Whoever holds what a stuck request waits for and waits itself; else who waits for it before. */
function findNext(table: LockTable, stuck: readonly WaitingRequest[], { request, obstacle }: Link): WaitingRequest | undefined {
  const holder = stuck.find((other) => obstacle.blockers.some((blocker) => isSameHolder(blocker, other)));
  if (holder !== undefined) return holder;
  const earlier = table.waits.find((wait) => wait.key === obstacle.blockedBy && wait.requestId !== request.id);
  return stuck.find(({ id }) => id === earlier?.requestId);
}
