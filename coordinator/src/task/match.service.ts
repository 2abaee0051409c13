import { namesOf } from '../agent/capability-rules.ts';
import type { Tx } from '../db/transaction.ts';
import { openTable, writeDecisions } from '../lock/lock-table.service.ts';
import { assign, type ClaimedTask, type ClaimRequest, writeDeferred, writeMatched } from './hand-out.ts';
import { isOpen, listAgentObstacles, type Seeker, type ServedSet, serveSets } from './match-rules.ts';
import { dueMax, listCoveredSets, lockCandidates, lockSeekers, putDueBack, repeatClaims, type SeekerRow } from './match.store.ts';

/** What a request got; undefined where its session has ended. */
export type ClaimAnswer = readonly ClaimedTask[] | undefined;

export interface Matching {
  /** One for each request, in order. */
  readonly answers: readonly ClaimAnswer[];
  /** What was handed out now, and not to an earlier call with the same key. */
  readonly fresh: readonly ClaimedTask[];
  /** Free slots are left, and more was there than one look takes in: another may find more. */
  readonly isWorthAnotherLook: boolean;
}

/** A task whose locks are taken costs a look and no slot; this many more are looked at than there are slots. */
const spareCandidates = 32;

/**
 * Hands out tasks to many requests in one transaction, in the order of rank, each to the agent that fits it best. What is
 * reserved for an agent it gets before all else. A task is handed out with all the locks it declares or not at all.
 */
export async function matchTasks(
  tx: Tx,
  { claimBatchMax }: { claimBatchMax: number },
  requests: readonly ClaimRequest[],
): Promise<Matching> {
  const sessionIds = [...new Set(requests.map(({ sessionId }) => sessionId))];
  const rows = new Map((await lockSeekers(tx.em, sessionIds)).map((row) => [row.sessionId, row]));
  const calls = groupRepeated(requests);
  const held = await findHeld(tx, calls);
  const open = calls.filter((call) => rows.has(call.sessionId) && !held.has(call));
  const { taken, isWorthAnotherLook } = await match(tx, claimBatchMax, open, rows);
  const answers = requests.map((request) => {
    const call = calls.find((each) => isSameCall(each, request)) ?? request;
    return held.get(call) ?? (rows.has(request.sessionId) ? (taken.get(call) ?? []) : undefined);
  });
  return { answers, fresh: [...taken.values()].flat(), isWorthAnotherLook };
}

/** One call that waits on two connections, since its caller took the first for lost, is one call. */
const isSameCall = (a: ClaimRequest, b: ClaimRequest): boolean =>
  a === b || (a.claimKey !== undefined && a.claimKey === b.claimKey && a.sessionId === b.sessionId);

function groupRepeated(requests: readonly ClaimRequest[]): ClaimRequest[] {
  const byKey = new Map(
    requests.map((request) => [request.claimKey === undefined ? request : `${request.sessionId} ${request.claimKey}`, request]),
  );
  return [...byKey.values()];
}

async function findHeld(tx: Tx, calls: readonly ClaimRequest[]): Promise<Map<ClaimRequest, ClaimedTask[]>> {
  const keyed = calls.flatMap(({ sessionId, claimKey }) => (claimKey === undefined ? [] : [{ sessionId, claimKey }]));
  const rows = keyed.length === 0 ? [] : await repeatClaims(tx.em, keyed);
  const held = new Map<ClaimRequest, ClaimedTask[]>();
  for (const row of rows) {
    const call = calls.find(({ sessionId, claimKey }) => row.sessionId === sessionId && row.claimKey === claimKey);
    if (call !== undefined) held.set(call, [...(held.get(call) ?? []), row]);
  }
  return held;
}

async function match(
  tx: Tx,
  batchMax: number,
  requests: readonly ClaimRequest[],
  rows: ReadonlyMap<string, SeekerRow>,
): Promise<{ taken: ReadonlyMap<ClaimRequest, ClaimedTask[]>; isWorthAnotherLook: boolean }> {
  const seekers = toSeekers(requests, rows).filter(isOpen);
  const slots = Math.min(
    batchMax,
    seekers.reduce((sum, { free, wanted }) => sum + Math.min(free, wanted), 0),
  );
  const due = seekers.length === 0 ? 0 : await putDueBack(tx.em, tx.projectId);
  // What other coordinators saw of these before is that they were not there.
  if (due > 0) tx.hints.tasks = true;
  const sets = await findServedSets(tx, seekers);
  const limit = slots + spareCandidates;
  const candidates = sets.length === 0 ? [] : await lockCandidates(tx.em, { projectId: tx.projectId, sets, limit });
  if (candidates.length === 0) return { taken: new Map(), isWorthAnotherLook: due === dueMax };

  const table = await openTable(
    tx,
    candidates.flatMap(({ locks }) => locks.map(({ key }) => key)),
  );
  const { matched, deferred } = assign(candidates, { seekers, sets, table, slots });
  await writeDecisions(tx, matched);
  await writeDeferred(tx, deferred);
  // Other coordinators passed over what is left while this transaction held it: tell them, so that nobody waits for the slow look.
  if (matched.length > 0 && candidates.length > matched.length + deferred.length) tx.hints.tasks = true;
  return {
    taken: await writeMatched(tx, matched, requests),
    // Each of them had a doer with a free slot at first: one that was neither matched nor put aside found its doers' slots taken.
    isWorthAnotherLook:
      matched.length < slots && (due === dueMax || (candidates.length >= limit && (deferred.length > 0 || matched.length > 0))),
  };
}

/** The sets that at least one of the seekers can serve alone, with those who can. */
async function findServedSets(tx: Tx, seekers: readonly Seeker[]): Promise<ServedSet[]> {
  if (seekers.length === 0) return [];
  const sets = await listCoveredSets(tx.em, tx.projectId, namesOf(seekers.flatMap(({ capabilities }) => capabilities)));
  return serveSets(sets, seekers);
}

const toSeekers = (requests: readonly ClaimRequest[], rows: ReadonlyMap<string, SeekerRow>): Seeker[] => {
  const wanted = new Map<string, number>();
  for (const { sessionId, max } of requests) wanted.set(sessionId, (wanted.get(sessionId) ?? 0) + max);
  return [...wanted].flatMap(([sessionId, max]) => {
    const row = rows.get(sessionId);
    if (row === undefined || listAgentObstacles({ ...row, living: true }).length > 0) return [];
    const { agentId, agentName, capabilities, capacity, running } = row;
    return [{ sessionId, agentId, agentName, capabilities, capacity, free: capacity - running, wanted: max }];
  });
};
