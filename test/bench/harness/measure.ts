import type { TableHead } from './bench.ts';
import type { LatencyVariant, RateSample, RateVariant, Row, Spread, Table } from './report.ts';
import { percentile, spreadOf } from './statistics.ts';

export interface Rounds {
  readonly count: number;
  /** Before the first, a turn of this share of the full size: modules are loaded, statements planned, code compiled. */
  readonly warmUpShare?: number;
  /** Runs before each sample: levels the ground. */
  readonly settle?: () => Promise<void>;
  readonly onProgress?: (line: string) => void;
}

interface Measured<V, Sample> {
  readonly variant: V;
  readonly samples: Sample[];
}

/**
 * Takes a sample of each variant in turn, round after round. Whatever else the machine does
 * meets all variants alike, and two samples of one round may be compared.
 */
async function takeTurns<Sample, V extends { readonly name: string; measure(share: number): Promise<Sample> }>(
  { count, warmUpShare, settle, onProgress }: Rounds,
  variants: readonly V[],
): Promise<Measured<V, Sample>[]> {
  const measured = variants.map((variant): Measured<V, Sample> => ({ variant, samples: [] }));
  if (warmUpShare !== undefined) for (const { variant } of measured) await variant.measure(warmUpShare);
  for (let round = 1; round <= count; round += 1) {
    for (const { variant, samples } of measured) {
      await settle?.();
      onProgress?.(`${variant.name}, ${round} of ${count}`);
      samples.push(await variant.measure(1));
    }
  }
  return measured;
}

export async function measureRates(rounds: Rounds, head: TableHead, variants: readonly RateVariant[]): Promise<Table> {
  const measured = await takeTurns<RateSample, RateVariant>(rounds, variants);
  const rates = new Map(measured.map(({ variant, samples }) => [variant.name, samples.map(({ perSecond }) => perSecond)]));
  const rows = measured.map(({ variant, samples }): Row => {
    const cores = samples.flatMap(({ coordinatorCores }) => coordinatorCores ?? []);
    return {
      name: variant.name,
      figures: { rate: spreadOf(rates.get(variant.name) ?? []) },
      ...compare(variant, rates),
      ...(cores.length > 0 && { coordinatorCores: spreadOf(cores) }),
    };
  });
  return { ...head, rows };
}

const percentiles = { p50: 0.5, p95: 0.95, p99: 0.99 } as const;

export async function measureLatencies(rounds: Rounds, head: TableHead, variants: readonly LatencyVariant[]): Promise<Table> {
  const measured = await takeTurns<readonly number[], LatencyVariant>(rounds, variants);
  const middles = new Map(measured.map(({ variant, samples }) => [variant.name, samples.map((all) => percentile(all, 0.5))]));
  const rows = measured.map(({ variant, samples }): Row => {
    const figures = Object.fromEntries(
      Object.entries(percentiles).map(([name, share]) => [name, spreadOf(samples.map((all) => percentile(all, share)))]),
    );
    return { name: variant.name, figures, ...compare(variant, middles) };
  });
  return { ...head, rows };
}

function compare(
  { name, beside }: { readonly name: string; readonly beside?: string },
  values: ReadonlyMap<string, readonly number[]>,
): { beside: string; ratio: Spread } | undefined {
  if (beside === undefined) return undefined;
  const others = values.get(beside);
  if (others === undefined) throw new Error(`"${name}" is compared with "${beside}", which is not measured.`);
  return { beside, ratio: spreadOf((values.get(name) ?? []).map((value, round) => value / (others[round] ?? Number.NaN))) };
}
