import { afterAll, beforeAll, expect, test } from 'vitest';
import { beatWhileExpiring, completeWhileExpiring, drainWhileClaiming, resumeWhileExpiring } from './contests/sessions.ts';
import { exploreContest, exploreMs } from './contest.ts';
import { openWorld, type World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.stop());

test(
  'W10 a task that is completed while its session expires is completed or lost, as was answered, in every interleaving',
  async () => {
    const { blocked } = await exploreContest(world, completeWhileExpiring);

    expect(blocked).toBeGreaterThan(0);
  },
  exploreMs,
);

test(
  'W13 an agent that drains is given nothing after the answer, which tells all that it runs, in every interleaving',
  async () => {
    const { blocked } = await exploreContest(world, drainWhileClaiming);

    expect(blocked).toBeGreaterThan(0);
  },
  exploreMs,
);

test(
  'HB a beat that comes while the session expires saves it or comes too late, in every interleaving',
  async () => {
    const { blocked } = await exploreContest(world, beatWhileExpiring);

    expect(blocked).toBeGreaterThan(0);
  },
  exploreMs,
);

test(
  'a session that is resumed while it expires goes on with its tasks or is a new one without, in every interleaving',
  async () => {
    const { blocked } = await exploreContest(world, resumeWhileExpiring);

    expect(blocked).toBeGreaterThan(0);
  },
  exploreMs,
);
