import type { LockMode } from '@baton/protocol';

export interface ModelRequest {
  readonly agent: string;
  /** In key order, each once. */
  readonly keys: readonly { readonly key: string; readonly mode: LockMode }[];
}

export interface ModelGrant {
  readonly key: string;
  readonly mode: LockMode;
  readonly fence: number;
  readonly agent: string;
}

export interface ModelLockAgent {
  readonly name: string;
  session: string | undefined;
}

/** What Baton promises about locks: who holds, who waits in which order, and the highest fence of each key. */
export interface LockModel {
  readonly agents: readonly ModelLockAgent[];
  readonly fences: Map<string, number>;
  grants: ModelGrant[];
  /** In the order of arrival. */
  requests: ModelRequest[];
}

/** What a request that waited was given. */
export interface HandedOver {
  readonly request: ModelRequest;
  readonly granted: readonly ModelGrant[];
}

export const heldBy = ({ grants }: LockModel, agent: string): ModelGrant[] => grants.filter((grant) => grant.agent === agent);

/** Takes all keys, or answers the first that stands in the way. */
export function acquire(model: LockModel, request: ModelRequest): readonly ModelGrant[] | { readonly blockedBy: string } {
  const blockedBy = request.keys.find(({ key, mode }) => isBlocked(model, request, key, mode));
  if (blockedBy !== undefined) return { blockedBy: blockedBy.key };
  return request.keys.map(({ key, mode }) => {
    const own = model.grants.find((grant) => grant.key === key && grant.agent === request.agent);
    if (own !== undefined && (own.mode === 'exclusive' || mode === 'shared')) return own;
    const fence = (model.fences.get(key) ?? 0) + 1;
    model.fences.set(key, fence);
    const grant = { key, mode, fence, agent: request.agent };
    model.grants = [...model.grants.filter((each) => each !== own), grant];
    return grant;
  });
}

/**
 * Whether a request would wait for ever: everybody who waits for nothing gives back what it has, whoever can be served then
 * is, and the request is still there when nothing changes any more.
 */
export function wouldWaitForEver(model: LockModel, request: ModelRequest): boolean {
  const then: LockModel = { ...model, fences: new Map(model.fences), grants: [...model.grants], requests: [...model.requests, request] };
  for (let waiting = -1; waiting !== then.requests.length;) {
    waiting = then.requests.length;
    then.grants = then.grants.filter(({ agent }) => then.requests.some((each) => each.agent === agent));
    handOver(then);
  }
  return then.requests.includes(request);
}

export function enqueue(model: LockModel, request: ModelRequest): void {
  model.requests.push(request);
}

/** Gives back what the agent holds of these keys. Answers how many, and who was served. */
export function release(model: LockModel, agent: string, keys: readonly string[]): { released: number; served: HandedOver[] } {
  const kept = model.grants.filter((grant) => grant.agent !== agent || !keys.includes(grant.key));
  const released = model.grants.length - kept.length;
  model.grants = kept;
  return { released, served: handOver(model) };
}

/** The agent waits no more. */
export function withdraw(model: LockModel, agent: string): HandedOver[] {
  model.requests = model.requests.filter((request) => request.agent !== agent);
  return handOver(model);
}

/** A session ends: it holds nothing and waits for nothing. */
export function endSession(model: LockModel, agent: ModelLockAgent): HandedOver[] {
  model.grants = model.grants.filter((grant) => grant.agent !== agent.name);
  model.requests = model.requests.filter((request) => request.agent !== agent.name);
  agent.session = undefined;
  return handOver(model);
}

/** Everybody whom nobody stands in the way of any more, the first first. */
function handOver(model: LockModel): HandedOver[] {
  const served: HandedOver[] = [];
  for (const request of model.requests) {
    const granted = acquire(model, request);
    if ('blockedBy' in granted) continue;
    served.push({ request, granted });
    model.requests = model.requests.filter((each) => each !== request);
  }
  return served;
}

const excludes = (a: LockMode, b: LockMode) => a === 'exclusive' || b === 'exclusive';

function isBlocked({ grants, requests }: LockModel, request: ModelRequest, key: string, mode: LockMode): boolean {
  const holders = grants.filter((grant) => grant.key === key);
  if (holders.some((grant) => grant.agent !== request.agent && excludes(grant.mode, mode))) return true;
  // Who holds it already overtakes nobody.
  if (holders.some((grant) => grant.agent === request.agent)) return false;
  const own = requests.indexOf(request);
  const earlier = own === -1 ? requests : requests.slice(0, own);
  return earlier.some((each) => each.keys.some((wanted) => wanted.key === key && excludes(wanted.mode, mode)));
}
