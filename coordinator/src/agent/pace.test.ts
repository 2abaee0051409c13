import { describe, expect, test } from 'vitest';
import { createPaceSetter, stretchPace } from './pace.ts';

const limits = { heartbeatMs: 5_000, leaseMs: 15_000, beatsPerSecondMax: 200 };

describe('the interval', () => {
  test.each([
    [0, 5_000, 15_000],
    [1_000, 5_000, 15_000],
    [1_001, 5_005, 15_015],
    [10_000, 50_000, 150_000],
  ])('of %i sessions is %i ms, and their lease %i ms', (sessions, heartbeatMs, leaseMs) => {
    expect(stretchPace(limits, sessions)).toEqual({ heartbeatMs, leaseMs });
  });

  test('grows within a lease that is long enough', () => {
    expect(stretchPace({ ...limits, leaseMs: 60_000 }, 2_000)).toEqual({ heartbeatMs: 10_000, leaseMs: 60_000 });
  });
});

describe('silence', () => {
  function open() {
    const at = { sessions: 4_000, ms: 0 };
    const setter = createPaceSetter(
      limits,
      () => at.sessions,
      () => at.ms,
    );
    return { at, setter };
  }

  test('is measured by the slower pace until all who were told it must have beaten', () => {
    const { at, setter } = open();
    setter.tell();
    at.sessions = 100;

    const told = setter.tell();
    at.ms = 59_999;
    const [lastHeartbeatMs, lastLeaseMs] = [setter.heartbeatMs, setter.leaseMs];
    at.ms = 60_000;

    expect(told).toEqual({ heartbeatMs: 5_000, leaseMs: 15_000 });
    expect([lastHeartbeatMs, lastLeaseMs]).toEqual([20_000, 60_000]);
    expect([setter.heartbeatMs, setter.leaseMs]).toEqual([5_000, 15_000]);
  });

  test('is measured by a pace that has slowed down at once', () => {
    const { at, setter } = open();
    setter.tell();
    at.sessions = 6_000;

    expect([setter.heartbeatMs, setter.leaseMs]).toEqual([30_000, 90_000]);
  });

  test('is measured by the slowest pace that somebody may still go by, also where a slower one has run out', () => {
    const { at, setter } = open();
    at.sessions = 10_000;
    setter.tell();
    at.ms = 149_000;
    at.sessions = 4_000;
    setter.tell();
    at.sessions = 10;
    setter.tell();
    const leases = [149_999, 150_000, 208_999, 209_000].map((ms) => {
      at.ms = ms;
      return setter.leaseMs;
    });

    expect(leases).toEqual([150_000, 60_000, 60_000, 15_000]);
  });
});
