import { type BatcherOptions, createBatcher } from './batcher.ts';
import { answerOf, type CallOutcome } from './outcome.ts';

/** Groups the calls of each project, and gives each its own answer or error. */
export function createProjectBatcher<Item, Answer>(
  run: (projectId: string, items: readonly Item[]) => Promise<CallOutcome<Answer>[]>,
  options: BatcherOptions,
): (projectId: string, item: Item) => Promise<Answer> {
  const batchers = new Map<string, (item: Item) => Promise<CallOutcome<Answer>>>();
  return async (projectId, item) => {
    const batcher = batchers.get(projectId) ?? createBatcher((items: readonly Item[]) => run(projectId, items), options);
    batchers.set(projectId, batcher);
    return answerOf(await batcher(item));
  };
}
