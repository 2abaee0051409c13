import { isAbsolute, relative } from 'node:path';
import { z } from 'zod';
import type { SourceModule } from '../project/source-module.ts';
import type { LineCounts } from './run-tests.ts';

const fileCoverage = z.object({
  path: z.string(),
  percentage: z.number(),
  lines: z.number(),
  covered: z.number(),
  /** False where no test loaded the file at all: none of its lines counts as covered. */
  isLoaded: z.boolean(),
});

export const coverageSchema = z.object({ percentage: z.number(), lines: z.number(), covered: z.number(), files: z.array(fileCoverage) });
export type Coverage = z.infer<typeof coverageSchema>;

/**
 * The share of lines with code that ran. Comments and types do not count, so that documenting a module does not make
 * it look tested; a module that no test loads counts in full, though test runners leave it out.
 */
export function measureCoverage(root: string, modules: readonly SourceModule[], counts: LineCounts): Coverage {
  const byPath = new Map(
    [...counts].map(([path, lines]) => [(isAbsolute(path) ? relative(root, path) : path).replaceAll('\\', '/'), lines]),
  );
  const files = modules
    // A module of types or of names passed on has nothing to test.
    .filter(
      ({ exports, codeLines, imports }) =>
        codeLines.length > 0 && !(exports.length === 0 && imports.some(({ reexports }) => reexports.length > 0)),
    )
    .map(({ path, codeLines }) => {
      const lines = byPath.get(path);
      // Some reporters leave lines out that belong to no statement of their own, such as a closing brace.
      const counted = lines === undefined ? codeLines : codeLines.filter((line) => lines.has(line));
      const covered = counted.filter((line) => (lines?.get(line) ?? 0) > 0).length;
      return { path, percentage: percentageOf(covered, counted.length), lines: counted.length, covered, isLoaded: lines !== undefined };
    });
  const lines = files.reduce((total, file) => total + file.lines, 0);
  const covered = files.reduce((total, file) => total + file.covered, 0);
  return { percentage: percentageOf(covered, lines), lines, covered, files };
}

/** With one digit, rounded down: 79.96 is not 80. */
const percentageOf = (covered: number, lines: number): number => (lines === 0 ? 100 : Math.floor((covered / lines) * 1_000) / 10);
