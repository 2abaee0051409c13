import { afterAll, beforeAll, expect, test } from 'vitest';
import { dependOnCompleting, dependOnEachOther, dependOnFailing } from './contests/add-dependency.ts';
import { exploreContest, exploreMs } from './contest.ts';
import { openWorld, type World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.stop());

test(
  'D1 a task that is made dependent on another while that completes is ready in the end, in every interleaving',
  async () => {
    const { blocked } = await exploreContest(world, dependOnCompleting);

    expect(blocked).toBeGreaterThan(0);
  },
  exploreMs,
);

test(
  'D7 a task that is made dependent on another while that fails is skipped, in every interleaving',
  async () => {
    const { blocked } = await exploreContest(world, dependOnFailing);

    expect(blocked).toBeGreaterThan(0);
  },
  exploreMs,
);

test(
  'D6 two submissions that each depend on what the other brings make no cycle, in every interleaving',
  async () => {
    const { schedules } = await exploreContest(world, dependOnEachOther);

    expect(schedules).toBeGreaterThan(0);
  },
  exploreMs,
);
