export interface Backoff {
  readonly baseMs: number;
  readonly capMs: number;
}

/**
 * How long to wait before the next try, after so many failures in a row: anything between nothing and twice as much as the
 * time before, up to the cap. Full jitter, so that those who lost the same coordinator do not all come back at once.
 * https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
 */
export const backoffMs = (failures: number, { baseMs, capMs }: Backoff): number => Math.random() * Math.min(capMs, baseMs * 2 ** failures);
