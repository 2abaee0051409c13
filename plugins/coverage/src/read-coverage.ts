import { z } from 'zod';

export const metrics = ['lines', 'branches', 'functions', 'statements'] as const;
export type Metric = (typeof metrics)[number];

/** How much of something was run. */
export interface Count {
  readonly covered: number;
  readonly total: number;
}

export type Coverage = Readonly<Partial<Record<Metric, Count>>>;

export interface CoverageReport {
  readonly total: Coverage;
  /** By file. */
  readonly files: ReadonlyMap<string, Coverage>;
}

const count = z.object({ total: z.number().min(0), covered: z.number().min(0) });
const coverage = z.object({
  lines: count.optional(),
  branches: count.optional(),
  functions: count.optional(),
  statements: count.optional(),
});
/** What the reporter `json-summary` of istanbul and c8 writes. */
const summary = z.object({ total: coverage }).catchall(coverage);

/** Understands the summary of istanbul or c8, or the text of an lcov file. Undefined where it is neither. */
export function readCoverage(content: unknown): CoverageReport | undefined {
  if (typeof content === 'string') return readLcov(content);
  const read = summary.safeParse(content);
  if (!read.success) return undefined;
  const { total, ...files } = read.data;
  return { total: total as Coverage, files: new Map(Object.entries(files) as [string, Coverage][]) };
}

/** The records of lcov that count: found and hit, of lines, branches and functions. */
const records: Readonly<Record<string, readonly [Metric, keyof Count]>> = {
  LF: ['lines', 'total'],
  LH: ['lines', 'covered'],
  BRF: ['branches', 'total'],
  BRH: ['branches', 'covered'],
  FNF: ['functions', 'total'],
  FNH: ['functions', 'covered'],
};

function readLcov(text: string): CoverageReport | undefined {
  const files = new Map<string, Partial<Record<Metric, Count>>>();
  let current: Partial<Record<Metric, Count>> | undefined;
  for (const line of text.split('\n')) {
    const [, record = '', value = ''] = /^([A-Z]+):(.*)$/.exec(line.trim()) ?? [];
    if (record === 'SF') {
      current = files.get(value) ?? {};
      files.set(value, current);
    }
    const [metric, field] = records[record] ?? [];
    if (current === undefined || metric === undefined || field === undefined || !/^\d+$/.test(value)) continue;
    current[metric] = { covered: 0, total: 0, ...current[metric], [field]: Number(value) };
  }
  return files.size === 0 ? undefined : { files, total: sum([...files.values()]) };
}

function sum(files: readonly Coverage[]): Coverage {
  const total: Partial<Record<Metric, Count>> = {};
  for (const file of files)
    for (const metric of metrics) {
      const part = file[metric];
      if (part === undefined) continue;
      const so = total[metric] ?? { covered: 0, total: 0 };
      total[metric] = { covered: so.covered + part.covered, total: so.total + part.total };
    }
  return total;
}

/** In percent, of nothing 100: where there is nothing to run, nothing was left out. */
export const percentOf = ({ covered, total }: Count): number => (total === 0 ? 100 : (100 * covered) / total);
