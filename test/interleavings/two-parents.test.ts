import { afterAll, beforeAll, expect, test } from 'vitest';
import { completeOneParentFailTheOther, completeTwoParents } from './contests/two-parents.ts';
import { exploreContest, exploreMs } from './contest.ts';
import { openWorld, type World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.stop());

test(
  'D5 two parents that complete at once make their child ready, in every interleaving',
  async () => {
    const { blocked } = await exploreContest(world, completeTwoParents);

    expect(blocked).toBeGreaterThan(0);
  },
  exploreMs,
);

test(
  'D7 a child of which one parent completes while the other fails is skipped once, in every interleaving',
  async () => {
    const { blocked } = await exploreContest(world, completeOneParentFailTheOther);

    expect(blocked).toBeGreaterThan(0);
  },
  exploreMs,
);
