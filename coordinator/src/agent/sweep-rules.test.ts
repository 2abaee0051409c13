import { describe, expect, test } from 'vitest';
import { afterSweep, mayEndSessions, noSweeps, pauseBeyondMs } from './sweep-rules.ts';

const pauseMs = 3_000;
const afterRuns = (...runsMs: readonly number[]) => runsMs.reduce((past, ms) => afterSweep(past, ms, pauseMs), noSweeps);

describe('a run that took longer than a pause', () => {
  test.each([
    [[20], true],
    [[3_000], true],
    [[3_001], false],
    [[4_000, 4_000, 4_000, 4_000, 4_000], false],
    [[4_000, 4_000, 4_000, 4_000, 4_000, 4_000], true],
    [[4_000, 4_000, 4_000, 4_000, 4_000, 4_000, 9_000], true],
    [[4_000, 4_000, 4_000, 4_000, 4_000, 4_000, 20, 4_000], false],
  ])('ends no session, unless five before it did as well: after %j it may: %s', (runsMs, may) => {
    expect(mayEndSessions(afterRuns(...runsMs))).toBe(may);
  });
});

describe('a gap', () => {
  test('is a pause beyond the same length, however slow the last run was', () => {
    expect(pauseBeyondMs(afterRuns(9_000), pauseMs)).toBe(3_000);
  });

  test('is none for as long as the last run took, where runs are always slow', () => {
    expect(pauseBeyondMs(afterRuns(4_000, 4_000, 4_000, 4_000, 4_000, 9_000), pauseMs)).toBe(12_000);
  });

  test('is a pause as ever once a run was quick', () => {
    expect(pauseBeyondMs(afterRuns(4_000, 4_000, 4_000, 4_000, 4_000, 4_000, 20), pauseMs)).toBe(3_000);
  });
});
