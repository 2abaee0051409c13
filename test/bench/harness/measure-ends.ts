import { nowMs } from './clock.ts';
import type { RateSample } from './report.ts';
import type { RunningJob } from './workers.ts';

/** What has ended since a job told last. */
export interface Ends {
  readonly count: number;
  /** When the last of it was acknowledged. */
  readonly atMs: number;
}

/** Lets prepared jobs begin at once, and measures until so much has ended. The jobs are not stopped. */
export async function measureEnds<Order>(
  jobs: readonly RunningJob<Order, Ends>[],
  { count, order }: { readonly count: number; readonly order: Order },
  watchCoordinator?: () => () => number | undefined,
): Promise<RateSample> {
  await Promise.all(jobs.map((job) => job.ready()));
  const coresSince = watchCoordinator?.();
  const sinceMs = nowMs();
  for (const job of jobs) job.go(order);

  let ended = 0;
  let lastMs = sinceMs;
  const all = new AbortController();
  const follow = async (job: RunningJob<Order, Ends>) => {
    for (let told = await job.told(all.signal); told !== undefined; told = await job.told(all.signal)) {
      ended += told.count;
      lastMs = Math.max(lastMs, told.atMs);
      // What they tell from now on is for the next measurement.
      if (ended >= count) return all.abort();
    }
  };
  await Promise.all(jobs.map(follow));
  if (ended < count) throw new Error(`All jobs have ended, and ${ended} of ${count}.`);
  return { perSecond: (ended * 1_000) / (lastMs - sinceMs), coordinatorCores: coresSince?.() };
}
