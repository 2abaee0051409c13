import { type MethodName, type Role, roles } from '@baton/protocol';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { noteFigures } from '../support/note-figures.ts';
import { fuzzMethod } from './fuzz-method.ts';
import { settings } from './settings.ts';
import { createWorld, type World } from './world.ts';

/** Generous: a longer run has more cases. */
const timeoutMs = 60_000 + settings.cases * 1_000;

/** Declares the tests of some methods, which share one daemon. */
export function fuzzSuite(title: string, methods: readonly MethodName[]): void {
  describe(`${title}, seed ${settings.seed}`, () => {
    let world: World;
    let foreign: unknown;
    const figures = { cases: 0, accepted: 0, refused: 0 };
    beforeAll(async () => {
      world = await createWorld();
      foreign = await world.stored.readProject('foreign');
    });
    afterAll(async () => {
      noteFigures('fuzz', { ...figures, methods: methods.length, seed: settings.seed });
      await world[Symbol.asyncDispose]();
    });

    describe.each(methods)('%s', (method) => {
      test.each<Role>(roles)(
        'keeps to its contract with a %s, whatever it is given',
        async (level) => {
          const runs = Math.ceil(settings.cases / roles.length);

          const { accepted, refused } = await fuzzMethod(world, { method, level, seed: settings.seed, runs });

          figures.cases += runs;
          figures.accepted += accepted;
          figures.refused += refused;
          expect(accepted + refused).toBe(runs);
        },
        timeoutMs,
      );
    });

    test('the other project is as it was', async () => {
      expect(await world.stored.readProject('foreign')).toEqual(foreign);
    });
  });
}
