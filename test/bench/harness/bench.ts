import type { Place } from './place.ts';
import type { LatencyVariant, RateVariant, Report, Table } from './report.ts';
import type { Workers } from './workers.ts';

/** A size that `--name` on the command line sets. */
export interface Setting {
  readonly about: string;
  readonly standard: number;
  /** So small that the test of the harness takes no time. */
  readonly smoke: number;
}

/** What a file in `test/bench` exports by default; `pnpm bench` finds it by the name of the file. */
export interface Bench<S extends string = string> {
  readonly summary: string;
  readonly settings: Readonly<Record<S, Setting>>;
  /** Settings of the coordinator, where those it has by itself do not serve. */
  readonly environment?: Readonly<Record<string, string>>;
  run(context: BenchContext<S>): Promise<Report>;
}

export interface BenchContext<S extends string = string> {
  readonly sizes: Readonly<Record<S, number>>;
  readonly place: Place;
  readonly workers: Workers;
  /** Measures how many a second, each variant once a round, so that a noisy minute meets all of them. */
  readonly rates: (head: TableHead, variants: readonly RateVariant[]) => Promise<Table>;
  /** Measures how long, in the same manner. */
  readonly latencies: (head: TableHead, variants: readonly LatencyVariant[]) => Promise<Table>;
}

export interface TableHead {
  readonly title: string;
  /** `tasks/s`, `ms`. */
  readonly unit: string;
}

export const defineBench = <S extends string>(bench: Bench<S>): Bench<S> => bench;
