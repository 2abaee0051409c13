import { createBatcher } from './batcher.ts';
import { translateDatabaseError } from './errors.ts';

/** How many questions one statement answers, and how many may wait for theirs; one more is refused with `overloaded`. */
const batching = { itemsMax: 500, waitingMax: 20_000 };

/** A question that many callers ask at once, answered with one statement for all who have gathered while the one before was under way. */
export const createGroupedRead = <Item, Outcome>(
  read: (items: readonly Item[]) => Promise<readonly Outcome[]>,
): ((item: Item) => Promise<Outcome>) =>
  createBatcher<Item, Outcome>(async (items) => {
    try {
      return await read(items);
    } catch (error) {
      throw translateDatabaseError(error);
    }
  }, batching);
