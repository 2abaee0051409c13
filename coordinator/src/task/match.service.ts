import type { GrantedLock, JsonObject } from '@baton/protocol';
import type { Tx } from '../db/transaction.ts';
import type { Decision, LockTable, Want } from '../lock/lock-rules.ts';
import { decideWant, openTable, writeDecisions } from '../lock/lock.service.ts';
import { bestSeeker, type Seeker } from './match-rules.ts';
import {
  type Candidate,
  type CapabilitySet,
  deferTasks,
  listCoveredSets,
  listHeldClaims,
  lockCandidates,
  lockSeekers,
  type SeekerRow,
  writeAssignments,
} from './match.store.ts';
import { type LockedTask, toTaskEvent } from './task.store.ts';

export interface ClaimRequest {
  readonly sessionId: string;
  readonly max: number;
  /** The idempotency key of the call: sent again, it is answered with the attempts it was answered with. */
  readonly claimKey: string | undefined;
}

export interface ClaimedTask extends LockedTask {
  readonly input: JsonObject;
  readonly timeoutMs: number;
  readonly grantedLocks: readonly GrantedLock[];
}

/** What a request got; undefined where its session may not take work. */
export type ClaimAnswer = readonly ClaimedTask[] | undefined;

export interface Matching {
  /** One for each request, in order. */
  readonly answers: readonly ClaimAnswer[];
  /** Free slots are left, and tasks that wait for locks stood in front of others: another look may find more. */
  readonly isWorthAnotherLook: boolean;
}

/** A task whose locks are taken costs a look and no slot; this many more are looked at than there are slots. */
const spareCandidates = 32;

/**
 * Hands out tasks to many requests in one transaction, in the order of rank, each to the agent that fits it best. A task is
 * handed out with all the locks it declares or not at all.
 */
export async function matchTasks(
  tx: Tx,
  { claimBatchMax }: { claimBatchMax: number },
  requests: readonly ClaimRequest[],
): Promise<Matching> {
  const rows = new Map(
    (
      await lockSeekers(
        tx.em,
        requests.map(({ sessionId }) => sessionId),
      )
    ).map((row) => [row.sessionId, row]),
  );
  const held = await findHeld(tx, requests);
  const open = requests.filter((request, index) => rows.has(request.sessionId) && (held[index] ?? []).length === 0);
  const { taken, isWorthAnotherLook } = await match(tx, claimBatchMax, open, rows);
  const answers = requests.map((request, index) => {
    const already = held[index] ?? [];
    return already.length > 0 ? already : rows.has(request.sessionId) ? (taken.get(request) ?? []) : undefined;
  });
  return { answers, isWorthAnotherLook };
}

async function findHeld(tx: Tx, requests: readonly ClaimRequest[]): Promise<ClaimedTask[][]> {
  const keyed = requests.flatMap(({ sessionId, claimKey }) => (claimKey === undefined ? [] : [{ sessionId, claimKey }]));
  const held = keyed.length === 0 ? [] : await listHeldClaims(tx.em, keyed);
  return requests.map(({ sessionId, claimKey }) => held.filter((claim) => claim.sessionId === sessionId && claim.claimKey === claimKey));
}

async function match(
  tx: Tx,
  batchMax: number,
  requests: readonly ClaimRequest[],
  rows: ReadonlyMap<string, SeekerRow>,
): Promise<{ taken: ReadonlyMap<ClaimRequest, ClaimedTask[]>; isWorthAnotherLook: boolean }> {
  const seekers = toSeekers(requests, rows).filter(({ free, wanted }) => free > 0 && wanted > 0);
  const slots = Math.min(
    batchMax,
    seekers.reduce((sum, { free, wanted }) => sum + Math.min(free, wanted), 0),
  );
  const sets = await findServedSets(tx, seekers);
  const limit = slots + spareCandidates;
  const candidates =
    sets.length === 0 ? [] : await lockCandidates(tx.em, { projectId: tx.projectId, setIds: sets.map(({ id }) => id), limit });
  if (candidates.length === 0) return { taken: new Map(), isWorthAnotherLook: false };

  const needs = new Map(sets.map(({ id, capabilities }) => [id, capabilities]));
  const table = await openTable(
    tx,
    candidates.flatMap(({ locks }) => locks.map(({ key }) => key)),
  );
  const { matched, deferred } = assign(candidates, { seekers, needs, table, slots });
  await writeDecisions(tx, matched);
  await writeDeferred(tx, deferred, table);
  // Other coordinators passed over what is left while this transaction held it: tell them, so that nobody waits for the slow look.
  if (candidates.length > matched.length + deferred.length) tx.hints.tasks = true;
  return {
    taken: await writeMatched(tx, matched, requests),
    isWorthAnotherLook: deferred.length > 0 && matched.length < slots && candidates.length >= limit,
  };
}

/** The sets that at least one of the seekers can serve alone. */
async function findServedSets(tx: Tx, seekers: readonly Seeker[]): Promise<CapabilitySet[]> {
  if (seekers.length === 0) return [];
  const sets = await listCoveredSets(tx.em, tx.projectId, [...new Set(seekers.flatMap(({ capabilities }) => [...capabilities]))]);
  return sets.filter((set) => seekers.some(({ capabilities }) => set.capabilities.every((capability) => capabilities.has(capability))));
}

const toSeekers = (requests: readonly ClaimRequest[], rows: ReadonlyMap<string, SeekerRow>): Seeker[] => {
  const wanted = new Map<string, number>();
  for (const { sessionId, max } of requests) wanted.set(sessionId, (wanted.get(sessionId) ?? 0) + max);
  return [...wanted].flatMap(([sessionId, max]) => {
    const row = rows.get(sessionId);
    if (row?.active !== true) return [];
    return [
      {
        sessionId,
        agentId: row.agentId,
        agentName: row.agentName,
        capabilities: new Set(row.capabilities),
        capacity: row.capacity,
        free: row.capacity - row.running,
        wanted: max,
      },
    ];
  });
};

interface Matched {
  readonly task: Candidate;
  readonly seeker: Seeker;
  readonly want: Want;
  readonly decision: Extract<Decision, { granted: unknown }>;
}

interface Board {
  readonly seekers: readonly Seeker[];
  readonly needs: ReadonlyMap<number, readonly string[]>;
  readonly table: LockTable;
  readonly slots: number;
}

/** Walks the tasks in rank: to the best agent with its locks, or noted as waiting for the lock that is taken. */
function assign(
  candidates: readonly Candidate[],
  { seekers, needs, table, slots }: Board,
): { matched: Matched[]; deferred: { task: Candidate; key: string }[] } {
  const matched: Matched[] = [];
  const deferred: { task: Candidate; key: string }[] = [];
  for (const task of candidates) {
    if (matched.length >= slots) break;
    const seeker = bestSeeker(seekers, { capabilities: needs.get(task.capabilitySetId) ?? [] });
    if (seeker === undefined) continue;
    const { sessionId, agentId, agentName } = seeker;
    const holder = { sessionId, agentId, agentName, taskId: task.id, attempt: task.attempt + 1 };
    const want: Want = { holder, keys: task.locks, ttlMs: null };
    const decision = decideWant(table, want);
    if (!('granted' in decision)) {
      deferred.push({ task, key: decision.blockedBy });
      continue;
    }
    seeker.free -= 1;
    seeker.wanted -= 1;
    matched.push({ task, seeker, want, decision });
  }
  return { matched, deferred };
}

async function writeDeferred(tx: Tx, deferred: readonly { task: Candidate; key: string }[], { grants }: LockTable): Promise<void> {
  if (deferred.length === 0) return;
  await deferTasks(
    tx.em,
    deferred.map(({ task, key }) => ({ id: task.id, key })),
  );
  for (const { task, key } of deferred) {
    // A task that was woken and was too late again has said so before.
    if (task.waitingSince !== null) continue;
    const holders = grants.filter((grant) => grant.key === key).map(({ agentName, taskId }) => agentName || (taskId ?? ''));
    tx.record('task.deferred', { ...toTaskEvent(task), key, holders });
  }
}

async function writeMatched(
  tx: Tx,
  matched: readonly Matched[],
  requests: readonly ClaimRequest[],
): Promise<Map<ClaimRequest, ClaimedTask[]>> {
  const answers = new Map<ClaimRequest, ClaimedTask[]>();
  if (matched.length === 0) return answers;
  const places = requests.flatMap((request) => Array.from({ length: Math.min(request.max, matched.length) }, () => request));
  const assigned = matched.map((match) => {
    const place = places.findIndex(({ sessionId }) => sessionId === match.seeker.sessionId);
    const [request] = places.splice(place, 1);
    if (request === undefined) throw new Error('A task was matched to a session that did not ask.');
    return { ...match, request };
  });
  const waits = await writeAssignments(
    tx.em,
    assigned.map(({ task, seeker, request, decision }) => ({
      taskId: task.id,
      sessionId: seeker.sessionId,
      agentId: seeker.agentId,
      claimKey: request.claimKey,
      locks: decision.granted,
    })),
  );
  for (const { task, seeker, request, decision } of assigned) {
    const claimed: ClaimedTask = {
      ...task,
      attempt: task.attempt + 1,
      sessionId: seeker.sessionId,
      agentId: seeker.agentId,
      grantedLocks: decision.granted,
    };
    answers.set(request, [...(answers.get(request) ?? []), claimed]);
    tx.record('task.claimed', {
      ...toTaskEvent(task),
      attempt: claimed.attempt,
      agentId: seeker.agentId,
      agentName: seeker.agentName,
      locks: [...decision.granted],
      lockWaitMs: waits.get(task.id) ?? 0,
    });
  }
  return answers;
}
