/** A dependency between a task that waits and one that will not succeed, or waits for such a one itself. */
export interface Link {
  readonly taskId: string;
  readonly dependsOnId: string;
  readonly title: string;
  /** The task that waits is skipped when one that it depends on does not succeed; else it runs all the same. */
  readonly skips: boolean;
}

interface Cause {
  readonly id: string;
  readonly reason: string;
}

/**
 * Which tasks are skipped because others did not succeed, each with its reason: that of the nearest cause, of several the one
 * with the lowest id. In the order of their distance from the causes.
 */
export function judgeDependents(ended: readonly Cause[], links: readonly Link[]): Cause[] {
  const behind = Map.groupBy(links, ({ dependsOnId }) => dependsOnId);
  const skipped = new Map<string, Cause>();
  let level: readonly Cause[] = ended;
  while (level.length > 0) {
    const next: Cause[] = [];
    for (const { id, reason } of level.toSorted((a, b) => (a.id < b.id ? -1 : 1))) {
      for (const { taskId, title, skips } of behind.get(id) ?? []) {
        if (!skips || skipped.has(taskId)) continue;
        skipped.set(taskId, { id: taskId, reason });
        next.push({ id: taskId, reason: `${title} was skipped` });
      }
    }
    level = next;
  }
  return [...skipped.values()];
}
