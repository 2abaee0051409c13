import { CoordinatorError, type LockHolder } from '@baton/protocol';
import { untold } from './lock-key.ts';
import type { Obstacle } from './lock-rules.ts';
import { type Grant, type LockTable, placesOf } from './lock-table.ts';

/** How many holders a refusal names. */
const holdersMax = 20;

/** Names what is in the way and who holds it, for how much longer, and a resource that both keys stand for. */
export function toConflict(table: LockTable, { blockedBy, requested, witness, blockers }: Obstacle, waitedMs: number): CoordinatorError {
  const places = placesOf(table, blockedBy);
  const leftMs = longestLeft(blockers);
  return new CoordinatorError('lock_conflict', {
    key: blockedBy,
    waitedMs,
    holders: blockers.slice(0, holdersMax).map((grant) => toLockHolder(grant, blockedBy)),
    ...(requested !== blockedBy && { requested }),
    // Of two patterns that could not be told apart in time there is none to name.
    ...(witness !== undefined && witness !== untold && { witness }),
    ...(places > 1 && { places }),
    ...(blockers.length > 0 && leftMs !== undefined && { expiresInMs: leftMs }),
  });
}

/** When all of these will have ended, unless they are renewed; undefined where one lives as long as its attempt. */
function longestLeft(grants: readonly Grant[]): number | undefined {
  const left = grants.map(({ expiresInMs }) => expiresInMs);
  return left.every((ms) => ms !== null) ? Math.max(0, Math.round(Math.max(...left))) : undefined;
}

/** As the contract has it. Its key is named where it is another than the one that was asked about. */
export const toLockHolder = (
  { agentId, agentName, sessionId, taskId, attempt, mode, fence, heldMs, expiresInMs, key, places }: Grant,
  askedFor: string,
): LockHolder => ({
  agentId,
  agentName,
  sessionId,
  ...(taskId !== undefined && { taskId }),
  ...(attempt !== undefined && { attempt }),
  mode,
  fence,
  heldMs,
  ...(expiresInMs !== null && { expiresInMs }),
  ...(key !== askedFor && { key }),
  ...(places > 1 && { places }),
});
