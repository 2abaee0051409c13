import type { BatcherOptions } from './batcher.ts';
import { createKeyedBatcher } from './keyed-batcher.ts';
import { answerOf, type CallOutcome } from './outcome.ts';

export interface TicketBatcherOptions<Item> extends BatcherOptions {
  readonly ticketOf: (item: Item) => string;
  /** Which of these tickets a transaction would have to wait for. */
  readonly findHeld: (ticketIds: readonly string[]) => Promise<ReadonlySet<string>>;
}

/** How many transactions of one project, each for one ticket, may stand before that ticket while the others go on. Each takes a connection of the pool. */
const apartMax = 2;

/** Groups the calls of each project, and gives each its own answer or error. A ticket that is held by somebody holds up no other ticket. */
export function createProjectBatcher<Item, Answer>(
  run: (projectId: string, items: readonly Item[]) => Promise<CallOutcome<Answer>[]>,
  { itemsMax, waitingMax, ticketOf, findHeld }: TicketBatcherOptions<Item>,
): (projectId: string, item: Item) => Promise<Answer> {
  const batchers = new Map<string, (item: Item) => Promise<CallOutcome<Answer>>>();
  const create = (projectId: string) =>
    createKeyedBatcher((items: readonly Item[]) => run(projectId, items), { itemsMax, waitingMax, apartMax, findHeld, keyOf: ticketOf });
  return async (projectId, item) => {
    const batcher = batchers.get(projectId) ?? create(projectId);
    batchers.set(projectId, batcher);
    return answerOf(await batcher(item));
  };
}
