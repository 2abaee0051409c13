import { definePlugin, defineValidator, type Report } from '@baton/sdk/plugin';
import { z } from 'zod';
import { type Coverage, type Metric, metrics, readCoverage } from './read-coverage.ts';

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
    /** What it means where all files together have nothing of what is to be measured: no branch, or no line at all. */
    nothingMeasured: z.enum(['fail', 'pass']).default('fail'),
  }),
  validate({ config, artifacts, fail, info, skip }) {
    const reports = artifacts.filter(({ type }) => type === config.artifact);
    if (reports.length === 0) skip(`There is no artifact ${config.artifact}.`);
    for (const { name, content } of reports) {
      const report = readCoverage(content);
      if ('problem' in report) {
        fail(
          'coverage_unreadable',
          `${config.artifact} "${name}" cannot be read as a summary of istanbul or c8, nor as lcov: ${report.problem}.`,
        );
        continue;
      }
      const isEmptyFine = config.nothingMeasured === 'pass';
      compare(report.total, config.min, { fail, of: `${config.artifact} "${name}"`, path: undefined, isEmptyFine });
      // A file without branches, or of types alone, is an ordinary file.
      for (const [file, part] of report.files)
        if (config.minPerFile !== undefined) compare(part, config.minPerFile, { fail, of: file, path: file, isEmptyFine: true });
      const total = describeTotal(report.total);
      if (total !== '') info('coverage_measured', `${config.artifact} "${name}": ${total}.`);
    }
  },
});

interface Place {
  readonly fail: Report;
  readonly of: string;
  readonly path: string | undefined;
  readonly isEmptyFine: boolean;
}

function compare(found: Coverage, wanted: Partial<Record<Metric, number | undefined>>, { fail, of, path, isEmptyFine }: Place): void {
  for (const metric of metrics) {
    const min = wanted[metric];
    if (min === undefined) continue;
    const count = found[metric];
    if (count === undefined) fail('coverage_missing', `${of} says nothing of ${metric}, wanted >= ${min} %.`, { path });
    else if (count.total > 0) {
      const percentage = (100 * count.covered) / count.total;
      if (percentage < min)
        fail('coverage_low', `${of}: ${metric} are ${round(percentage)} % (${count.covered} of ${count.total}), wanted >= ${min} %.`, {
          path,
        });
    } else if (!isEmptyFine)
      fail(
        'coverage_empty',
        `${of}: no ${metric} were measured (0 of 0), wanted >= ${min} %. If there are none, set nothingMeasured: pass.`,
        {
          path,
        },
      );
  }
}

const describeTotal = (total: Coverage): string =>
  metrics
    .flatMap((metric) => {
      const count = total[metric];
      if (count === undefined) return [];
      const share = `${count.covered} of ${count.total}`;
      return [`${metric} ${count.total === 0 ? share : `${round((100 * count.covered) / count.total)} % (${share})`}`];
    })
    .join(', ');

/** Down, so that what is too little does not look like enough. */
const round = (percentage: number): number => Math.floor(percentage * 100) / 100;

export default definePlugin({ name: 'coverage', apiVersion: 1, validators: [coverage] });
