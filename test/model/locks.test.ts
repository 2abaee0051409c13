import fc from 'fast-check';
import { afterAll, beforeAll, test } from 'vitest';
import { noteFigures } from '../support/note-figures.ts';
import { type Pair, startPair } from '../support/pair.ts';
import { lockHistories } from './lock-commands.ts';
import { readModelSettings } from './settings.ts';
import { quietConfig } from './task-world.ts';

const { runs, timeoutMs, ...settings } = readModelSettings();
let pair: Pair;
beforeAll(async () => {
  pair = await startPair(quietConfig);
});
afterAll(() => pair[Symbol.asyncDispose]());

test(
  `two coordinators do with locks what the model says, whatever is asked of them (seed ${settings.seed}, ${runs} histories)`,
  async () => {
    await fc.assert(lockHistories(pair), { ...settings, numRuns: runs });
    noteFigures('lock model', { histories: runs, seed: settings.seed });
  },
  timeoutMs,
);
