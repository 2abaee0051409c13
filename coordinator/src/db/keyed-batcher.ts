import { CoordinatorError } from '@baton/protocol';
import { runBatch, type Waiting } from './batcher.ts';

export interface KeyedBatcherOptions<Item> {
  /** How many items one batch has at most. */
  readonly itemsMax: number;
  /** How many items may wait for their batch; one more is refused with `overloaded`. */
  readonly waitingMax: number;
  /** How many batches of one key each may be under way beside the one of many keys. */
  readonly apartMax: number;
  readonly keyOf: (item: Item) => string;
  /** Which of these keys a batch would have to wait for. */
  readonly findHeld: (keys: readonly string[]) => Promise<ReadonlySet<string>>;
}

/**
 * Groups calls as `createBatcher` does, where what some of them are about may be held up by others: a key that is held holds up
 * only what has the same key. Items of one key are run in their order, and never in two batches at a time. A batch of many keys
 * leaves out those that are held; each of them is run apart, and the others gather meanwhile.
 */
export function createKeyedBatcher<Item, Outcome>(
  run: (items: readonly Item[]) => Promise<readonly Outcome[]>,
  { itemsMax, waitingMax, apartMax, keyOf, findHeld }: KeyedBatcherOptions<Item>,
): (item: Item) => Promise<Outcome> {
  type Batch = Waiting<Item, Outcome>[];
  const queues = new Map<string, Batch>();
  const underWay = new Set<string>();
  /** Found to be held while no more could be run apart. */
  const parked = new Set<string>();
  let waiting = 0;
  let apart = 0;
  let isSharing = false;

  const take = (key: string, max: number): Batch => {
    const queue = queues.get(key) ?? [];
    const batch = queue.splice(0, max);
    queues.delete(key);
    // Behind the other keys.
    if (queue.length > 0) queues.set(key, queue);
    waiting -= batch.length;
    underWay.add(key);
    return batch;
  };
  const putBack = (key: string, batch: Batch): void => {
    queues.set(key, [...batch, ...(queues.get(key) ?? [])]);
    waiting += batch.length;
    underWay.delete(key);
    parked.add(key);
  };

  const runApart = async (key: string, batch: Batch): Promise<void> => {
    apart += 1;
    await runBatch(batch, run);
    apart -= 1;
    underWay.delete(key);
    start();
  };

  const runShared = async (keys: readonly string[]): Promise<void> => {
    isSharing = true;
    const batches = new Map<string, Batch>();
    let room = itemsMax;
    for (const key of keys) {
      if (room === 0) break;
      const batch = take(key, room);
      room -= batch.length;
      batches.set(key, batch);
    }
    // Where nobody can say, the batch itself will tell.
    const held = await findHeld([...batches.keys()]).catch(() => new Set<string>());
    for (const [key, batch] of batches) {
      if (!held.has(key)) continue;
      batches.delete(key);
      if (apart < apartMax) void runApart(key, batch);
      else putBack(key, batch);
    }
    if (batches.size > 0) await runBatch([...batches.values()].flat(), run);
    for (const key of batches.keys()) underWay.delete(key);
    isSharing = false;
    start();
  };

  function start(): void {
    for (const key of parked) {
      if (apart >= apartMax) break;
      parked.delete(key);
      void runApart(key, take(key, itemsMax));
    }
    if (isSharing) return;
    const free = [...queues.keys()].filter((key) => !underWay.has(key) && !parked.has(key));
    const [first] = free;
    if (first === undefined) return;
    if (free.length === 1 && apart < apartMax) void runApart(first, take(first, itemsMax));
    else void runShared(free);
  }

  return (item) =>
    new Promise((resolve, reject) => {
      if (waiting >= waitingMax) {
        reject(new CoordinatorError('overloaded', { retryAfterMs: 100 }));
        return;
      }
      const key = keyOf(item);
      const queue = queues.get(key);
      if (queue === undefined) queues.set(key, [{ item, resolve, reject }]);
      else queue.push({ item, resolve, reject });
      waiting += 1;
      start();
    });
}
