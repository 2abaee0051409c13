import { afterAll, beforeAll, expect, test } from 'vitest';
import { claimOneTask, claimTwoTasksOfOneLock } from './contests/claim-claim.ts';
import { exploreContest, exploreMs } from './contest.ts';
import { openWorld, type World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.stop());

test(
  'of two agents that claim one task at two coordinators exactly one gets it, in every interleaving',
  async () => {
    const { schedules } = await exploreContest(world, claimOneTask);

    expect(schedules).toBeGreaterThan(0);
  },
  exploreMs,
);

test(
  'two tasks that declare one lock are never handed out at the same time, in every interleaving',
  async () => {
    const { schedules } = await exploreContest(world, claimTwoTasksOfOneLock);

    expect(schedules).toBeGreaterThan(0);
  },
  exploreMs,
);
