import { CoordinatorError } from '@baton/protocol';
import { expect } from 'vitest';
import { noteFigures } from '../support/note-figures.ts';
import { type Contest, type Exploration, explore } from './explorer.ts';
import { expectNothingWrong } from './invariants.ts';
import type { Outcome, Schedule, Side } from './schedule.ts';
import { sweepLocks } from './sweepers.ts';
import type { GatedCoordinator, World } from './world.ts';

export interface Scene {
  readonly sides: readonly Side[];
  readonly wake?: () => Promise<void>;
  /** What has to be true of the answers and of what is stored. */
  check(outcomes: Schedule['outcomes']): Promise<void>;
}

/** A contest of the product's services: whatever else is checked, nothing of the common invariants is broken and nobody stands in a circle. */
export function contestOf(world: World, prepare: () => Promise<Scene>): Contest {
  return {
    async prepare() {
      await world.endAll();
      await sweepLocks(world.c);
      // What is stored from here on belongs to this schedule.
      await world.passTime(1);
      const [now] = await world.rows<{ at: string }>('select test_clock.clock_timestamp()::text as at');
      const scene = await prepare();
      return {
        ...scene,
        async check({ outcomes, deadlocks }) {
          await scene.check(outcomes);
          await expectNothingWrong(world, now!.at);
          expect(deadlocks).toBe(0);
        },
      };
    },
  };
}

export const side = (name: string, { gate }: GatedCoordinator, act: () => Promise<unknown>): Side => ({ name, gate, act });

/** What a side was answered, or the kind of the error. Anything else is a fault of ours. */
export function answerOf<T>(outcome: Outcome | undefined): T | string {
  if (outcome?.status === 'fulfilled') return outcome.value as T;
  if (outcome?.reason instanceof CoordinatorError && outcome.reason.kind !== 'internal') return outcome.reason.kind;
  throw outcome?.reason ?? new Error('A side has no outcome.');
}

/** `ok`, or the kind of the error. */
export const kindOf = (outcome: Outcome | undefined): string => {
  const answer = answerOf(outcome);
  return typeof answer === 'string' ? answer : 'ok';
};

/** How long an exploration may take; a busy machine takes ten times as long as a quiet one. */
export const exploreMs = 600_000;

/** Explores a contest and notes how many interleavings it has. */
export async function exploreContest(world: World, contest: (world: World) => Contest): Promise<Exploration> {
  const seen = await explore(world.stage, contest(world));
  noteFigures(`interleavings of ${contest.name}`, { ...seen });
  return seen;
}
