import { definePlugin, defineValidator } from '@baton/sdk/plugin';
import { z } from 'zod';
import { readJUnit } from './read-junit.ts';

const junit = defineValidator({
  name: 'junit',
  config: z.strictObject({
    /** The type of the artifacts whose content is the text of a report. */
    artifact: z.string().min(1).default('test_report'),
    /** How many tests must have run. A report without tests shows nothing. */
    testsMin: z.int().min(0).default(1),
    /** What a test means that failed before it passed. */
    flaky: z.enum(['fail', 'warn', 'ignore']).default('warn'),
    /** Whether tests may be skipped. */
    skippedMax: z.int().min(0).optional(),
  }),
  validate({ config, artifacts, fail, warn, info, skip }) {
    const reports = artifacts.filter(({ type }) => type === config.artifact);
    if (reports.length === 0) skip(`There is no artifact ${config.artifact}.`);
    for (const { name, content } of reports) {
      const tests = typeof content === 'string' ? readJUnit(content) : undefined;
      if (tests === undefined) {
        fail('report_unreadable', `${config.artifact} "${name}" is not the text of a JUnit report.`);
        continue;
      }
      for (const test of tests.filter(({ state }) => state === 'failed'))
        fail('test_failed', `${test.name} failed${test.message === undefined ? '' : `: ${test.message}`}.`, { path: test.name });
      for (const test of config.flaky === 'ignore' ? [] : tests.filter(({ isFlaky }) => isFlaky))
        (config.flaky === 'fail' ? fail : warn)('test_flaky', `${test.name} failed before it passed.`, { path: test.name });
      const ran = tests.filter(({ state }) => state !== 'skipped').length;
      if (ran < config.testsMin) fail('tests_too_few', `${ran} tests ran in "${name}", wanted ${config.testsMin}.`);
      const skipped = tests.length - ran;
      if (config.skippedMax !== undefined && skipped > config.skippedMax)
        fail('tests_skipped', `${skipped} tests were skipped in "${name}", at most ${config.skippedMax} may be.`);
      info('tests_ran', `${ran} tests ran in "${name}", ${skipped} were skipped.`);
    }
  },
});

export default definePlugin({ name: 'junit', apiVersion: 1, validators: [junit] });
