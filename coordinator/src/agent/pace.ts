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

/** What was told, and until when some agent may go by it. */
interface Promised extends Pace {
  readonly untilMs: number;
}

/**
 * The pace for as many sessions as there are. An agent goes by what it was told at its last beat: silence is measured by the
 * slowest of all the paces that somebody may still go by.
 */
export function createPaceSetter(limits: PaceLimits, countSessions: () => number, now = () => performance.now()): PaceSetter {
  // The slowest first. Each that is kept ends later than those before it, and one that is no slower and ends sooner is not kept.
  const promised: Promised[] = [];
  const measured = (): Pace => {
    const nowMs = now();
    while (promised[0] !== undefined && promised[0].untilMs <= nowMs) promised.shift();
    const told = stretchPace(limits, countSessions());
    const [slowest] = promised;
    return slowest !== undefined && slowest.heartbeatMs > told.heartbeatMs ? slowest : told;
  };

  return {
    tell() {
      const told = stretchPace(limits, countSessions());
      while ((promised.at(-1)?.heartbeatMs ?? Infinity) <= told.heartbeatMs) promised.pop();
      promised.push({ ...told, untilMs: now() + told.leaseMs });
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
