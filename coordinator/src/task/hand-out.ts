import type { GrantedLock, JsonObject } from '@baton/protocol';
import type { Tx } from '../db/transaction.ts';
import type { Decision } from '../lock/lock-rules.ts';
import type { LockTable, Want } from '../lock/lock-table.ts';
import { decideWant } from '../lock/lock-table.service.ts';
import { bestSeeker, type Seeker, type ServedSet } from './match-rules.ts';
import { type Candidate, deferTasks, writeAssignments } from './match.store.ts';
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

export interface Matched {
  readonly task: Candidate;
  readonly seeker: Seeker;
  readonly want: Want;
  readonly decision: Extract<Decision, { granted: unknown }>;
}

export interface Deferred {
  readonly task: Candidate;
  readonly key: string;
  readonly holders: readonly string[];
}

export interface Board {
  readonly seekers: readonly Seeker[];
  readonly sets: readonly ServedSet[];
  readonly table: LockTable;
  readonly slots: number;
}

/** Walks the tasks in their order: to the best agent with its locks, or noted as waiting for the lock that is taken. */
export function assign(
  candidates: readonly Candidate[],
  { seekers, sets, table, slots }: Board,
): { matched: Matched[]; deferred: Deferred[] } {
  const matched: Matched[] = [];
  const deferred: Deferred[] = [];
  const byAgent = new Map(seekers.map((seeker) => [seeker.agentId, seeker]));
  const doers = new Map(sets.map(({ id, agentIds }) => [id, agentIds.flatMap((agentId) => byAgent.get(agentId) ?? [])]));
  for (const task of candidates) {
    if (matched.length >= slots) break;
    // That they offer what the set needs has been found once for the set.
    const seeker = bestSeeker(doers.get(task.capabilitySetId) ?? [], { ...task, capabilities: [] });
    if (seeker === undefined) continue;
    const { sessionId, agentId, agentName } = seeker;
    const holder = { sessionId, agentId, agentName, taskId: task.id, attempt: task.attempt + 1 };
    const want: Want = { holder, keys: task.locks, ttlMs: null };
    const decision = decideWant(table, want);
    if (!('granted' in decision)) {
      const holders = decision.blockers.map(({ agentName, taskId }) => agentName || (taskId ?? ''));
      deferred.push({ task, key: decision.blockedBy, holders });
      continue;
    }
    seeker.free -= 1;
    seeker.wanted -= 1;
    matched.push({ task, seeker, want, decision });
  }
  return { matched, deferred };
}

export async function writeDeferred(tx: Tx, deferred: readonly Deferred[]): Promise<void> {
  if (deferred.length === 0) return;
  await deferTasks(
    tx.em,
    deferred.map(({ task, key }) => ({ id: task.id, key })),
  );
  for (const { task, key, holders } of deferred) {
    // A task that was woken and was too late again has said so before.
    if (task.waitingSince !== null) continue;
    tx.record('task.deferred', { ...toTaskEvent(task), key, holders: [...new Set(holders)] });
  }
}

/** Writes what was matched down and tells what each request got. */
export async function writeMatched(
  tx: Tx,
  matched: readonly Matched[],
  requests: readonly ClaimRequest[],
): Promise<Map<ClaimRequest, ClaimedTask[]>> {
  const answers = new Map<ClaimRequest, ClaimedTask[]>();
  if (matched.length === 0) return answers;
  const places = Map.groupBy(
    requests.map((request) => ({ request, left: request.max })),
    ({ request }) => request.sessionId,
  );
  const assigned = matched.map((match) => {
    const place = places.get(match.seeker.sessionId)?.find(({ left }) => left > 0);
    if (place === undefined) throw new Error('A task was matched to a session that did not ask.');
    place.left -= 1;
    return { ...match, request: place.request };
  });
  const handed = await writeAssignments(
    tx.em,
    assigned.map(({ task, seeker, request, decision }) => ({
      taskId: task.id,
      sessionId: seeker.sessionId,
      agentId: seeker.agentId,
      claimKey: request.claimKey,
      locks: decision.granted,
    })),
  );
  const details = new Map(handed.map((each) => [each.id, each]));
  for (const { task, seeker, request, decision } of assigned) {
    const detail = details.get(task.id);
    if (detail === undefined) throw new Error(`The task ${task.id} was held and is gone.`);
    const { visitNumber, input, timeoutMs, lockWaitMs } = detail;
    const claimed: ClaimedTask = {
      ...task,
      visitNumber,
      input,
      timeoutMs,
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
      lockWaitMs,
    });
  }
  return answers;
}
