import { CoordinatorError } from '@baton/protocol';
import type { EntityManager } from '../db/orm.ts';
import type { Tx } from '../db/transaction.ts';
import { openBoard } from './lock-board.ts';
import { isFileKey, isWide, spaceOf } from './lock-key.ts';
import { deleteDueKeys, type DueLocks, findAbandonedRequests } from './lock-due.store.ts';
import { findRequests, takeGranted } from './lock-request.store.ts';
import { findGrants, type LockFilter } from './lock-holder.store.ts';
import { isFenceCurrent, setPlaces } from './lock.store.ts';

/** What ends together: grants to be released, and requests to be withdrawn with all their keys. */
interface Ending {
  readonly grants: readonly { readonly id: string; readonly key: string }[];
  readonly requests: readonly { readonly id: string; readonly keys: readonly string[] }[];
}

/** Releases all that sessions or attempts hold and withdraws all that they wait for, in one pass over the keys. */
export async function forgetHolders(tx: Tx, filter: Pick<LockFilter, 'sessionIds' | 'attempts'>): Promise<void> {
  const of = { ...filter, projectId: tx.projectId };
  const ending = { grants: await findGrants(tx.em, of), requests: await findRequests(tx.em, of) };
  if (ending.grants.length > 0 || ending.requests.length > 0) await endLocks(tx, ending);
}

/**
 * Ends grants and requests and hands what they held to whoever waits, in the same transaction. A request that was granted
 * and whose answer nobody has taken is over with what it was granted, and with nothing that its holder has besides.
 */
async function endLocks(tx: Tx, { grants, requests }: Ending, freed: readonly string[] = []): Promise<void> {
  const freeing = [...new Set([...freed, ...grants.map(({ key }) => key), ...requests.flatMap((request) => request.keys)])];
  if (freeing.length === 0) return;
  const board = await openBoard(tx, { keys: [], freeing });
  const untaken = await takeGranted(
    tx.em,
    requests.map(({ id }) => id),
  );
  const ids = new Set(grants.map(({ id }) => id));
  board.end(board.table.grants.filter(({ id, requestId }) => ids.has(id) || (requestId !== undefined && untaken.has(requestId))));
  board.withdraw(requests);
  board.free(freed);
  board.serve();
  await board.write();
}

/** Hands on what time has freed, and what a transaction could not hand on itself. */
export async function sweepLocks(tx: Tx, { keys, dueIds }: DueLocks): Promise<void> {
  const abandoned = await findAbandonedRequests(tx.em, tx.projectId);
  await endLocks(tx, { grants: [], requests: abandoned }, keys);
  await deleteDueKeys(tx.em, dueIds);
}

/** Says how many places a key has. Who waits for one that it has now is served. */
export async function definePlaces(tx: Tx, { key, places }: { readonly key: string; readonly places: number }): Promise<void> {
  if (isWide(key))
    throw new CoordinatorError('lock_key_invalid', { key, message: 'A pattern or range has no places of its own. Name one key.' });
  const board = await openBoard(tx, { keys: [], freeing: [key] });
  await setPlaces(tx.em, tx.projectId, { key, places });
  board.table.places.set(key, places);
  board.free([key]);
  board.serve();
  await board.write();
  tx.record('lock.defined', { key, places });
}

/**
 * Tells whether a fence is a current one.
 * @throws CoordinatorError `lock_key_invalid` for a range: each of its members has fences of its own
 */
export async function checkFence(
  em: EntityManager,
  projectId: string,
  { key, fence }: { readonly key: string; readonly fence: number },
): Promise<boolean> {
  if (isWide(key) && !isFileKey(key)) {
    const message = `A range has no fence of its own. Name the member that was granted, as in ${spaceOf(key)}:3000: the answer of lock/acquire has its key.`;
    throw new CoordinatorError('lock_key_invalid', { key, message });
  }
  return isFenceCurrent(em, projectId, { key, fence });
}
