/** How often an agent beats, and how long its claims outlive its silence. */
export interface Pace {
  readonly heartbeatMs: number;
  readonly leaseMs: number;
}

export interface PaceLimits extends Pace {
  /** How many beats a second this coordinator wants to hear at most. */
  readonly beatsPerSecondMax: number;
}

/** What agents are told, and what their silence is measured by. */
export interface PaceSetter extends Pace {
  /** What to tell an agent that asks now. */
  tell(): Pace;
}

/**
 * The pace at which so many sessions make no more beats a second than there may be. The lease grows with the interval: three
 * beats fit into it, so that one may be lost.
 */
export function stretchPace({ heartbeatMs, leaseMs, beatsPerSecondMax }: PaceLimits, sessions: number): Pace {
  const stretchedMs = Math.ceil((sessions * 1_000) / beatsPerSecondMax);
  if (stretchedMs <= heartbeatMs) return { heartbeatMs, leaseMs };
  return { heartbeatMs: stretchedMs, leaseMs: Math.max(leaseMs, 3 * stretchedMs) };
}

/**
 * The pace for as many sessions as there are. An agent goes by what it was told at its last beat: when the pace quickens,
 * silence is measured by the slower one until everybody has had the time to hear of it.
 */
export function createPaceSetter(limits: PaceLimits, countSessions: () => number, now = () => performance.now()): PaceSetter {
  let slowest: Pace = stretchPace(limits, 0);
  let heardByAllAt = 0;
  const measured = (): Pace => {
    const told = stretchPace(limits, countSessions());
    return now() < heardByAllAt && slowest.heartbeatMs > told.heartbeatMs ? slowest : told;
  };

  return {
    tell() {
      const told = stretchPace(limits, countSessions());
      if (measured().heartbeatMs <= told.heartbeatMs) {
        slowest = told;
        heardByAllAt = now() + told.leaseMs;
      }
      return told;
    },
    get heartbeatMs() {
      return measured().heartbeatMs;
    },
    get leaseMs() {
      return measured().leaseMs;
    },
  };
}
