export interface BackoffLimits {
  readonly backoffBaseMs: number;
  readonly backoffCapMs: number;
}

/**
 * How long a task waits before its next attempt, in ms: full jitter, between nothing and the base doubled with every attempt
 * used, up to the cap. See "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
 * @param attemptsUsed how many attempts have ended, 1 or more
 * @param random between 0 and 1
 */
export function backoffMs({ backoffBaseMs, backoffCapMs }: BackoffLimits, attemptsUsed: number, random: number): number {
  return Math.floor(random * Math.min(backoffCapMs, backoffBaseMs * 2 ** Math.min(attemptsUsed - 1, 30)));
}
