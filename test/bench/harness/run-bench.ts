import type { Bench } from './bench.ts';
import { measureLatencies, measureRates, type Rounds } from './measure.ts';
import type { Place } from './place.ts';
import type { Report } from './report.ts';
import type { Workers } from './workers.ts';

export interface RunOptions {
  readonly place: Place;
  readonly workers: Workers;
  readonly rounds: Rounds;
  readonly sizes: Readonly<Record<string, number>>;
}

export const runBench = (bench: Bench, { place, workers, rounds, sizes }: RunOptions): Promise<Report> =>
  bench.run({
    sizes,
    place,
    workers,
    rates: (head, variants) => measureRates(rounds, head, variants),
    latencies: (head, variants) => measureLatencies(rounds, head, variants),
  });
