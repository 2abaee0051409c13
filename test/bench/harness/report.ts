/** One way of doing what a bench measures. */
interface Variant {
  readonly name: string;
  /** The variant, of the same table, that this one is compared with. */
  readonly beside?: string;
}

export interface RateSample {
  readonly perSecond: number;
  /** Processors that the coordinator kept busy meanwhile: 1 is one of them all the time. */
  readonly coordinatorCores?: number | undefined;
}

export interface RateVariant extends Variant {
  /** @param share of the full size; the rounds that warm up take a small one. */
  measure(share: number): Promise<RateSample>;
}

export interface LatencyVariant extends Variant {
  /** @returns every duration, in ms */
  measure(share: number): Promise<readonly number[]>;
}

/** The middle of the rounds, and the least and the most of them. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

export interface Row {
  readonly name: string;
  /** By name: `rate`, or `p50`, `p95` and `p99`. */
  readonly figures: Readonly<Record<string, Spread>>;
  readonly beside?: string;
  /** The first figure by that of the variant beside it, round by round. */
  readonly ratio?: Spread;
  readonly coordinatorCores?: Spread;
}

export interface Table {
  readonly title: string;
  readonly unit: string;
  readonly rows: readonly Row[];
}

export interface Report {
  readonly tables: readonly Table[];
  /** What else was seen: a plan, a count of statements. */
  readonly notes: readonly Note[];
}

export interface Note {
  readonly title: string;
  readonly lines: readonly string[];
}
