import type { Client, GrantedLock } from '@baton/protocol';
import { expect } from 'vitest';
import { eventually, patienceMs } from '../support/eventually.ts';
import type { Pair, Site } from '../support/pair.ts';
import { type HandedOver, type LockModel, type ModelLockAgent, type ModelRequest } from './lock-model.ts';

/** A call that waits in the queue of a lock. */
interface WaitingCall {
  readonly answer: Promise<readonly GrantedLock[] | string>;
  readonly giveUp: () => void;
  /** By `performance.now()`. */
  readonly since: number;
}

export interface LockWorld {
  readonly pair: Pair;
  readonly keys: readonly string[];
  readonly sessions: Map<string, Client>;
  /** By agent: each has one at most. */
  readonly waiting: Map<string, WaitingCall>;
  readonly register: (agent: ModelLockAgent, site: Site) => Promise<string>;
}

export interface LockSetup {
  readonly model: LockModel;
  readonly real: LockWorld;
}

const ttlMs = 600_000;
const waitMs = 60_000;
/** Whoever has waited for so long gives up, before its call ends by itself: a busy machine takes its time for a history. */
export const patientMs = waitMs / 2;
let count = 0;

export async function setUpLocks(pair: Pair): Promise<LockSetup> {
  const mark = `${process.pid}-${(count += 1)}`;
  const keys = ['a', 'b', 'c'].map((name) => `place:${mark}-${name}`);
  const agents: ModelLockAgent[] = ['w', 'x', 'y', 'z'].map((name) => ({ name: `${name}-${mark}`, session: undefined }));
  const sessions = new Map<string, Client>();
  const register = async ({ name }: ModelLockAgent, site: Site) => {
    const session = await site.client.agent.register({ name, capabilities: ['nothing'] });
    sessions.set(session.sessionId, site.clientOf(session.resumeToken));
    return session.sessionId;
  };
  for (const [index, agent] of agents.entries()) agent.session = await register(agent, pair.sites[index % 2]!);
  const model: LockModel = { agents, fences: new Map(keys.map((key) => [key, 0])), grants: [], requests: [] };
  return { model, real: { pair, keys, sessions, waiting: new Map(), register } };
}

export const toParams = ({ keys }: ModelRequest, waitMs = 0) => ({ keys: [...keys], ttlMs, waitMs });

/** Sends a call that will wait, and returns when it stands in the queue. */
export async function waitInLine(real: LockWorld, client: Client, request: ModelRequest): Promise<void> {
  const abort = new AbortController();
  const answer = client.lock.acquire(toParams(request, waitMs), { signal: abort.signal }).then(
    ({ locks }) => locks,
    (error: unknown) => (error instanceof Error && 'kind' in error ? String(error.kind) : String(error)),
  );
  real.waiting.set(request.agent, { answer, giveUp: () => abort.abort(), since: performance.now() });
  await eventually(
    async () => {
      const { waiters } = await real.pair.sites[0].client.lock.get({ key: request.keys[0]!.key });
      expect(waiters.map(({ agentName }) => agentName)).toContain(request.agent);
    },
    { everyMs: 2 },
  );
}

/** The answer of a call that must not wait any more. */
export async function answerSoon({ answer }: Pick<WaitingCall, 'answer'>): Promise<readonly GrantedLock[] | string> {
  const { promise: late, resolve } = Promise.withResolvers<string>();
  const timer = setTimeout(resolve, patienceMs, 'no answer');
  return Promise.race([answer, late]).finally(() => clearTimeout(timer));
}

/** Those who waited and were served have their answers, with the fences of the model. */
export async function compareServed({ waiting }: LockWorld, served: readonly HandedOver[]): Promise<void> {
  for (const { request, granted } of served) {
    const call = waiting.get(request.agent)!;
    waiting.delete(request.agent);
    expect(await answerSoon(call)).toEqual(granted.map(({ key, mode, fence }) => ({ key, mode, fence })));
  }
}

/** Both coordinators show the holders, the queue and the fence of every key as the model has them. */
export async function compareLocks({ grants, requests, fences }: LockModel, { keys }: LockWorld, site: Site): Promise<void> {
  for (const key of keys) {
    const { fence, holders, waiters } = await site.client.lock.get({ key });
    expect({
      key,
      fence,
      holders: holders.map(({ agentName, mode, fence }) => ({ agent: agentName, mode, fence })),
      waiters: waiters.map(({ agentName, mode }) => ({ agent: agentName, mode })),
    }).toEqual({
      key,
      fence: fences.get(key),
      holders: grants
        .filter((grant) => grant.key === key)
        .toSorted((a, b) => a.fence - b.fence)
        .map(({ agent, mode, fence }) => ({ agent, mode, fence })),
      waiters: requests.flatMap(({ agent, keys }) => keys.filter((wanted) => wanted.key === key).map(({ mode }) => ({ agent, mode }))),
    });
  }
}

/** The time of a lock is over, and a sweep has taken it away. */
export async function passTtl({ pair }: LockWorld, session: string, key: string): Promise<void> {
  await pair.observer.query(
    `update lock_grants set expires_at = clock_timestamp() - interval '1 second' where session_id = $1 and key = $2`,
    [session, key],
  );
  await eventually(
    async () => {
      const { rowCount } = await pair.observer.query('select 1 from lock_grants where session_id = $1 and key = $2', [session, key]);
      expect(rowCount).toBe(0);
    },
    { everyMs: 5 },
  );
}

/** Leaves nobody waiting when a history ends, well or badly. */
export async function letGo({ agents }: LockModel, { sessions, waiting }: LockWorld): Promise<void> {
  for (const { giveUp } of waiting.values()) giveUp();
  await Promise.all([...waiting.values()].map(({ answer }) => answer));
  for (const { session } of agents)
    if (session !== undefined)
      await sessions
        .get(session)!
        .agent.deregister({})
        .catch(() => {});
}
