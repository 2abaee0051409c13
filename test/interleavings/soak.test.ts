import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { exploreContest } from './contest.ts';
import { acquireWhileExpiringAndReleasing, acquireWhileHolderExpires, acquireWhileHolderLeaves } from './contests/locks.ts';
import { openWorld, type World } from './world.ts';

/** Contests with hundreds of interleavings: all of them too, but only in `pnpm soak`. */
describe.runIf(process.env['BATON_SOAK'] === '1')('in a soak', { timeout: 3_600_000 }, () => {
  let world: World;
  beforeAll(async () => {
    world = await openWorld();
  });
  afterAll(() => world.stop());

  test('W3 who asks for a lock while its holder leaves gets it, in every interleaving', async () => {
    const { blocked } = await exploreContest(world, acquireWhileHolderLeaves);

    expect(blocked).toBeGreaterThan(0);
  });

  test('W3 who asks for a lock while the session of its holder expires gets it, in every interleaving', async () => {
    const { blocked } = await exploreContest(world, acquireWhileHolderExpires);

    expect(blocked).toBeGreaterThan(0);
  });

  test('K12 an expired lock goes to who asks for it, whoever sweeps and releases it meanwhile, in every interleaving of the three', async () => {
    const { blocked } = await exploreContest(world, acquireWhileExpiringAndReleasing);

    expect(blocked).toBeGreaterThan(0);
  });
});
