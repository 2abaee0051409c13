export interface Rate {
  /** What may go on for ever. */
  readonly perSecond: number;
  /** What may come at once after a pause. */
  readonly burst: number;
}

/** A bucket that fills with time, up to the burst; each thing that is let through takes one token out of it. */
export interface Bucket {
  /** Takes one; or takes none, and says in how many ms there will be one. */
  take(): number | undefined;
  /** As `take`, but takes none. */
  look(): number | undefined;
  /** As if nothing had ever been taken. */
  readonly isFull: boolean;
}

export function createBucket({ perSecond, burst }: Rate, now: () => number = () => performance.now()): Bucket {
  let tokens = burst;
  let filledAt = now();

  function look(): number | undefined {
    const time = now();
    tokens = Math.min(burst, tokens + ((time - filledAt) * perSecond) / 1_000);
    filledAt = time;
    return tokens >= 1 ? undefined : Math.ceil(((1 - tokens) * 1_000) / perSecond);
  }

  return {
    look,
    take() {
      const waitMs = look();
      if (waitMs === undefined) tokens--;
      return waitMs;
    },
    get isFull() {
      look();
      return tokens >= burst;
    },
  };
}

/**
 * A bucket for each key, and never more than so many of them: a full one is forgotten, being the same as none. Where none is full
 * the oldest goes, so that a flood of keys costs its own senders their memory of sins, and never ours.
 */
export interface BucketTable {
  of(key: string): Bucket;
  readonly size: number;
}

export function createBucketTable(
  rate: Rate,
  { keysMax, now }: { readonly keysMax: number; readonly now?: (() => number) | undefined },
): BucketTable {
  const buckets = new Map<string, Bucket>();

  function makeRoom(): void {
    for (const [key, bucket] of buckets) if (bucket.isFull) buckets.delete(key);
    for (const key of buckets.keys()) {
      if (buckets.size < keysMax) return;
      buckets.delete(key);
    }
  }

  return {
    of(key) {
      const known = buckets.get(key);
      if (known !== undefined) return known;
      if (buckets.size >= keysMax) makeRoom();
      const bucket = createBucket(rate, now);
      buckets.set(key, bucket);
      return bucket;
    },
    get size() {
      return buckets.size;
    },
  };
}
