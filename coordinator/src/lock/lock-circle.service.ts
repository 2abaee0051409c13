import { CoordinatorError } from '@baton/protocol';
import type { Tx } from '../db/transaction.ts';
import { lookAgain, openBoard } from './lock-board.ts';
import { findCircles, type Link } from './lock-circle-rules.ts';
import { enterCircleGate, listHoldingRequests, readQueues } from './lock-circle.store.ts';
import { toLockHolder } from './lock-conflict.ts';
import { deleteRequests, listUndecidedRequests, type WaitingRequest } from './lock-request.store.ts';

/**
 * Refuses those of the requests that this transaction has put into queues which would wait for ever, with the circle that they
 * would wait in. Who holds nothing closes no circle. Who does takes its turn with others that do, after its request has been
 * written: of two that close a circle between them the second sees the first.
 * @returns why each of them is refused, by its id
 */
export async function refuseCircles(tx: Tx, enqueued: readonly WaitingRequest[]): Promise<Map<string, CoordinatorError>> {
  const refused = new Map<string, CoordinatorError>();
  const holding = await listHoldingRequests(
    tx.em,
    enqueued.map(({ id }) => id),
  );
  if (holding.length === 0) return refused;
  await enterCircleGate(tx.em, tx.projectId);
  const newcomers = new Set(holding);
  for (let queues = await readQueues(tx.em, tx.projectId); ;) {
    const { stuck, circleOf } = findCircles(queues);
    // Not one that only stands behind a circle.
    const last = stuck.findLast((request) => newcomers.has(request.id) && circleOf(request)?.[0]?.request === request);
    if (last === undefined) break;
    refused.set(last.id, toDeadlock(circleOf(last) ?? []));
    queues = { ...queues, requests: queues.requests.filter((request) => request !== last) };
  }
  if (refused.size === 0) return refused;
  await deleteRequests(tx.em, [...refused.keys()]);
  // Whoever was put behind one of them in the same transaction may have nobody before it now.
  const left = enqueued.filter(({ id }) => refused.has(id)).flatMap(({ keys }) => keys.map(({ key }) => key));
  await lookAgain(tx, [...new Set(left)]);
  return refused;
}

/** The refusal of the first in the circle. */
function toDeadlock(circle: readonly Link[]): CoordinatorError {
  const { blockedBy = '', requested = '', blockers = [] } = circle[0]?.obstacle ?? {};
  return new CoordinatorError('lock_conflict', {
    key: blockedBy,
    waitedMs: 0,
    holders: blockers.map((grant) => toLockHolder(grant, blockedBy)),
    ...(requested !== blockedBy && { requested }),
    deadlock: true,
    circle: circle.map(({ request: { agentId, agentName, taskId }, obstacle }) => ({
      agentId,
      agentName,
      ...(taskId !== undefined && { taskId }),
      waitsFor: obstacle.blockedBy,
    })),
    message: 'Each would wait for the next for ever. Release what you hold, and ask for all keys at once.',
  });
}

/** Takes the youngest out of each circle that has come about in another way than by who came to wait last. */
export async function breakCircles(tx: Tx): Promise<void> {
  const youngest = new Map<string, WaitingRequest>();
  for (let queues = await readQueues(tx.em, tx.projectId); ;) {
    const { stuck, circleOf } = findCircles(queues);
    const circle = stuck.map(circleOf).find((links) => links !== undefined);
    const last = circle && queues.requests.findLast((request) => circle.some((link) => link.request === request));
    if (last === undefined) break;
    youngest.set(last.id, last);
    queues = { ...queues, requests: queues.requests.filter((request) => request !== last) };
  }
  if (youngest.size === 0) return;
  const keysOf = ({ keys }: WaitingRequest) => keys.map(({ key }) => key);
  const board = await openBoard(tx, { keys: [], freeing: [...new Set([...youngest.values()].flatMap(keysOf))] });
  const undecided = await listUndecidedRequests(tx.em, [...youngest.keys()]);
  board.withdraw(
    [...youngest.values()].filter(({ id }) => undecided.has(id)).map((request) => ({ id: request.id, keys: keysOf(request) })),
  );
  board.serve();
  await board.write();
}
