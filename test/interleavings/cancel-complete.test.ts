import { afterAll, beforeAll, expect, test } from 'vitest';
import { cancelWhileCompleting } from './contests/cancel-complete.ts';
import { exploreContest, exploreMs } from './contest.ts';
import { openWorld, type World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.stop());

test(
  'Q2 a task that is cancelled while it is completed ends in the one way that was acknowledged, in every interleaving',
  async () => {
    const { blocked } = await exploreContest(world, cancelWhileCompleting);

    expect(blocked).toBeGreaterThan(0);
  },
  exploreMs,
);
