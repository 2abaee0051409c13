import { definePlugin, defineValidator, type Report } from '@baton/sdk/plugin';
import { z } from 'zod';
import { type Coverage, type Metric, metrics, percentOf, readCoverage } from './read-coverage.ts';

const percent = z.number().min(0).max(100);
const thresholds = z.strictObject({
  lines: percent.optional(),
  branches: percent.optional(),
  functions: percent.optional(),
  statements: percent.optional(),
});

const coverage = defineValidator({
  name: 'coverage',
  config: z.strictObject({
    /** The type of the artifacts whose content is the report. */
    artifact: z.string().min(1).default('test_coverage'),
    /** What all files together must reach, in percent. */
    min: thresholds.default({ lines: 80 }),
    /** What each file must reach by itself. */
    minPerFile: thresholds.optional(),
  }),
  validate({ config, artifacts, fail, skip }) {
    const reports = artifacts.filter(({ type }) => type === config.artifact);
    if (reports.length === 0) skip(`There is no artifact ${config.artifact}.`);
    for (const { name, content } of reports) {
      const report = readCoverage(content);
      if (report === undefined) {
        fail('coverage_unreadable', `${config.artifact} "${name}" is neither the summary of istanbul or c8 nor lcov.`);
        continue;
      }
      compare(report.total, config.min, { fail, of: `${config.artifact} "${name}"`, path: undefined });
      for (const [file, part] of report.files)
        if (config.minPerFile !== undefined) compare(part, config.minPerFile, { fail, of: file, path: file });
    }
  },
});

interface Place {
  readonly fail: Report;
  readonly of: string;
  readonly path: string | undefined;
}

function compare(found: Coverage, wanted: Partial<Record<Metric, number | undefined>>, { fail, of, path }: Place): void {
  for (const metric of metrics) {
    const min = wanted[metric];
    if (min === undefined) continue;
    const count = found[metric];
    if (count === undefined) fail('coverage_missing', `${of} says nothing of ${metric}, wanted >= ${min} %.`, { path });
    else if (percentOf(count) < min)
      fail('coverage_low', `${of}: ${metric} are ${round(percentOf(count))} % (${count.covered} of ${count.total}), wanted >= ${min} %.`, {
        path,
      });
  }
}

/** Down, so that what is too little does not look like enough. */
const round = (percentage: number): number => Math.floor(percentage * 100) / 100;

export default definePlugin({ name: 'coverage', apiVersion: 1, validators: [coverage] });
