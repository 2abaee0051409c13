import { CoordinatorError, type LockHolder } from '@baton/protocol';
import { type Grant, type LockTable, type Obstacle, placesOf } from './lock-rules.ts';

/** How many holders a refusal names. */
const holdersMax = 20;

/** Names what is in the way and who holds it, for how much longer, and a resource that both keys stand for. */
export function toConflict(table: LockTable, { blockedBy, requested, witness, blockers }: Obstacle, waitedMs: number): CoordinatorError {
  const places = placesOf(table, blockedBy);
  return new CoordinatorError('lock_conflict', {
    key: blockedBy,
    waitedMs,
    holders: blockers.slice(0, holdersMax).map((grant) => toLockHolder(grant, blockedBy)),
    ...(requested !== blockedBy && { requested }),
    ...(witness !== undefined && { witness }),
    ...(places > 1 && { places }),
  });
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
