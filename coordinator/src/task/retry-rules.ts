/** A skipped task behind one that is retried, and the unsuccessful tasks that it depends on. */
export interface SkippedTask {
  readonly id: string;
  readonly heldBy: readonly string[];
}

/** Which of the skipped tasks are reopened with a task that is retried: all but those that another unsuccessful task holds back as well. */
export function chooseReopened(retriedId: string, skipped: readonly SkippedTask[]): string[] {
  const reopened = new Set([retriedId, ...skipped.map(({ id }) => id)]);
  const behind = new Map<string, string[]>();
  for (const { id, heldBy } of skipped)
    for (const cause of heldBy) {
      const waiting = behind.get(cause);
      if (waiting === undefined) behind.set(cause, [id]);
      else waiting.push(id);
    }
  const heldBack = skipped.filter(({ heldBy }) => heldBy.some((cause) => !reopened.has(cause))).map(({ id }) => id);
  // Grows while it is walked: what is held back holds others back.
  for (const id of heldBack) if (reopened.delete(id)) for (const next of behind.get(id) ?? []) heldBack.push(next);
  reopened.delete(retriedId);
  return [...reopened];
}
