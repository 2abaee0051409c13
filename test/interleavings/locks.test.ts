import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  acquireExpiredWhileReleasing,
  acquireTwice,
  acquireWhileExpiring,
  acquireWhileReleasing,
  claimWhileReleasing,
  giveUpWhileReleasing,
  renewOrAcquire,
  renewWhileExpiring,
} from './contests/locks.ts';
import { exploreContest, exploreMs } from './contest.ts';
import { openWorld, type World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.stop());

test(
  'of two who ask for a lock at once one gets it, and the fence rises by one, in every interleaving',
  async () => {
    const { blocked } = await exploreContest(world, acquireTwice);

    expect(blocked).toBeGreaterThan(0);
  },
  exploreMs,
);

test(
  'L5 who asks for a lock while it is released gets it and is not forgotten, in every interleaving',
  async () => {
    const { blocked } = await exploreContest(world, acquireWhileReleasing);

    expect(blocked).toBeGreaterThan(0);
  },
  exploreMs,
);

test(
  'K12 an expired lock goes to who asks for it while it is swept, in every interleaving',
  async () => {
    const { blocked } = await exploreContest(world, acquireWhileExpiring);

    expect(blocked).toBeGreaterThan(0);
  },
  exploreMs,
);

test(
  'K12 an expired lock goes to who asks for it while its last holder releases it, in every interleaving',
  async () => {
    const { blocked } = await exploreContest(world, acquireExpiredWhileReleasing);

    expect(blocked).toBeGreaterThan(0);
  },
  exploreMs,
);

test(
  'K13 a lock that is renewed while it expires is held on or lost, and another gets it only if it was lost, in every interleaving',
  async () => {
    const { blocked } = await exploreContest(world, renewOrAcquire);

    expect(blocked).toBeGreaterThan(0);
  },
  exploreMs,
);

test(
  'K13 a lock that is renewed while the sweeper takes it is held on or lost, as was answered, in every interleaving',
  async () => {
    const { schedules } = await exploreContest(world, renewWhileExpiring);

    expect(schedules).toBeGreaterThan(0);
  },
  exploreMs,
);

test(
  'who gives up waiting while the lock is released keeps nothing of it, in every interleaving',
  async () => {
    const { blocked } = await exploreContest(world, giveUpWhileReleasing);

    expect(blocked).toBeGreaterThan(0);
  },
  exploreMs,
);

test(
  'K15 a task whose lock is taken is handed out or woken when that is released, in every interleaving',
  async () => {
    const { blocked } = await exploreContest(world, claimWhileReleasing);

    expect(blocked).toBeGreaterThan(0);
  },
  exploreMs,
);
