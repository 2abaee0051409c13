import { z } from 'zod';
import { readLcov } from './read-lcov.ts';

export const metrics = ['lines', 'branches', 'functions', 'statements'] as const;
export type Metric = (typeof metrics)[number];

/** How much of something was run. */
export interface Count {
  readonly covered: number;
  readonly total: number;
}

export type Coverage = Readonly<Partial<Record<Metric, Count | undefined>>>;

export interface CoverageReport {
  readonly total: Coverage;
  /** By file. */
  readonly files: ReadonlyMap<string, Coverage>;
}

/** The percentage beside them is rounded, and `Unknown` where there is nothing: it is not read. */
const count = z
  .object({ total: z.int().min(0), covered: z.int().min(0) })
  .refine(({ covered, total }) => covered <= total, 'More is covered than there is.');
const coverage = z.object({
  lines: count.optional(),
  branches: count.optional(),
  functions: count.optional(),
  statements: count.optional(),
});
/** What the reporter `json-summary` of istanbul and c8 writes. */
const summary = z.object({ total: coverage }).catchall(coverage);

/** Understands the summary of istanbul or c8, as JSON or as its text, and the text of an lcov file. */
export function readCoverage(content: unknown): CoverageReport | { readonly problem: string } {
  if (content === undefined) return { problem: 'its content is kept elsewhere, at its URI' };
  if (typeof content === 'string' && !content.trimStart().startsWith('{')) return toReport(readLcov(content));
  const read = summary.safeParse(typeof content === 'string' ? parseJson(content) : content);
  if (!read.success) return { problem: z.prettifyError(read.error).replaceAll(/\s+/g, ' ') };
  const { total, ...files } = read.data;
  return { total, files: new Map(Object.entries(files) as [string, Coverage][]) };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function toReport(files: ReadonlyMap<string, Coverage>): CoverageReport | { readonly problem: string } {
  if (files.size === 0) return { problem: 'it has no record of a file (SF:)' };
  for (const [file, found] of files)
    for (const metric of metrics) {
      const part = found[metric];
      if (part !== undefined && part.covered > part.total)
        return { problem: `${file}: ${part.covered} of ${part.total} ${metric} are covered, more than there are` };
    }
  return { files, total: sum([...files.values()]) };
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
