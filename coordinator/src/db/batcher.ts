import { CoordinatorError } from '@baton/protocol';

export interface Waiting<Item, Outcome> {
  readonly item: Item;
  readonly resolve: (outcome: Outcome) => void;
  readonly reject: (error: unknown) => void;
}

export interface BatcherOptions {
  /** How many items one batch has at most. */
  readonly itemsMax: number;
  /** How many items may wait for their batch; one more is refused with `overloaded`. */
  readonly waitingMax: number;
}

/**
 * Groups calls: while one batch is under way the next gathers, so that a lone call is run at once and many share a
 * transaction. There are no timers. `run` answers one outcome per item, in order; where it throws, the items are run one
 * by one, so that the one that cannot be done does not take the others with it.
 */
export function createBatcher<Item, Outcome>(
  run: (items: readonly Item[]) => Promise<readonly Outcome[]>,
  { itemsMax, waitingMax }: BatcherOptions,
): (item: Item) => Promise<Outcome> {
  const queue: Waiting<Item, Outcome>[] = [];
  let underWay = false;

  const drain = async (): Promise<void> => {
    underWay = true;
    while (queue.length > 0) await runBatch(queue.splice(0, itemsMax), run);
    underWay = false;
  };

  return (item) =>
    new Promise((resolve, reject) => {
      if (queue.length >= waitingMax) {
        reject(new CoordinatorError('overloaded', { retryAfterMs: 100 }));
        return;
      }
      queue.push({ item, resolve, reject });
      if (!underWay) void drain();
    });
}

/** Answers each item its own; where `run` throws, the items are run one by one. Never throws. */
export async function runBatch<Item, Outcome>(
  batch: readonly Waiting<Item, Outcome>[],
  run: (items: readonly Item[]) => Promise<readonly Outcome[]>,
): Promise<void> {
  try {
    const outcomes = await run(batch.map(({ item }) => item));
    if (outcomes.length !== batch.length) throw new Error(`A batch of ${batch.length} brought ${outcomes.length} outcomes.`);
    for (const [index, { resolve }] of batch.entries()) resolve(outcomes[index] as Outcome);
  } catch (error) {
    // An error of the catalogue (no database, say) would meet every item; anything else may be the fault of one alone.
    if (batch.length === 1 || error instanceof CoordinatorError) for (const { reject } of batch) reject(error);
    else for (const waiting of batch) await runBatch([waiting], run);
  }
}
