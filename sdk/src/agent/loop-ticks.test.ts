import { expect, test } from 'vitest';
import { createLoopTicks, readLoopLag, tick } from './loop-ticks.ts';

const at = (ms: number) => BigInt(ms) * 1_000_000n;

/** An event loop that ticks every 100 ms, with beats a second apart. */
const open = () => createLoopTicks(1_000, at(10_000));

test('a loop that ticks in time has no lag', () => {
  const ticks = open();
  for (let ms = 10_100; ms <= 13_000; ms += 100) tick(ticks, 100, at(ms));

  expect(readLoopLag(ticks, at(13_050))).toMatchObject({ lagMs: 0 });
});

test('a loop that stands still has a lag before it knows of it', () => {
  const ticks = open();
  tick(ticks, 100, at(10_100));

  expect(readLoopLag(ticks, at(12_100))).toEqual({ lagMs: 2_000, keptUpMs: 0 });
});

test('a standstill is told once it is over, once', () => {
  const ticks = open();
  tick(ticks, 100, at(12_000));
  for (let ms = 12_100; ms <= 13_000; ms += 100) tick(ticks, 100, at(ms));

  expect(readLoopLag(ticks, at(13_000))).toEqual({ lagMs: 1_900, keptUpMs: 1_000 });
  expect(readLoopLag(ticks, at(13_000))).toEqual({ lagMs: 0, keptUpMs: 1_000 });
});

test('a delay of less than half an interval counts as lag, and as keeping up', () => {
  const ticks = open();
  tick(ticks, 100, at(10_500));

  expect(readLoopLag(ticks, at(10_500))).toEqual({ lagMs: 400, keptUpMs: 10_500 });
});
