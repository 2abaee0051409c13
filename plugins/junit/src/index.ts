import { definePlugin, defineValidator } from '@baton/sdk/plugin';
import { z } from 'zod';
import { checkTotals } from './check-totals.ts';
import { listSuiteFailures, listTests, type Test } from './list-tests.ts';
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
    /** How many tests may be skipped. */
    skippedMax: z.int().min(0).optional(),
    /** Whether the runner writes each run of a test as a case of its own, as gotestsum and Gradle do. Else two cases are two tests. */
    repeatsAreReruns: z.boolean().default(false),
  }),
  validate({ config, artifacts, fail, warn, info, skip }) {
    const reports = artifacts.filter(({ type }) => type === config.artifact);
    if (reports.length === 0) skip(`There is no artifact ${config.artifact}.`);
    for (const { name, content } of reports) {
      const read = typeof content === 'string' ? readJUnit(content) : { problem: describeContent(content) };
      if ('problem' in read) {
        fail('report_unreadable', `${config.artifact} "${name}" is not the text of a JUnit report: ${read.problem}.`);
        continue;
      }
      for (const { severity, message } of checkTotals(read)) ({ fail, warn })[severity]('totals_disagree', message);
      const tests = listTests(read, config);
      for (const suite of listSuiteFailures(read))
        fail('suite_failed', `${suite.name} failed outside of its tests${reasonOf(suite)}`, { path: suite.file ?? suite.name });
      for (const test of tests.filter(({ state }) => state === 'failed'))
        fail('test_failed', `${test.name} failed${reasonOf(test)}`, { path: test.file ?? test.name });
      for (const test of config.flaky === 'ignore' ? [] : tests.filter(({ isFlaky }) => isFlaky))
        (config.flaky === 'fail' ? fail : warn)('test_flaky', `${test.name} failed before it passed.`, { path: test.file ?? test.name });
      const count = (wanted: Test['state']) => tests.filter(({ state }) => state === wanted).length;
      const [passed, failed, skipped] = [count('passed'), count('failed'), count('skipped')];
      const ran = passed + failed;
      if (ran < config.testsMin) fail('tests_too_few', `${ran} tests ran in "${name}", wanted ${config.testsMin}.`);
      if (config.skippedMax !== undefined && skipped > config.skippedMax)
        fail('tests_skipped', `${skipped} tests were skipped in "${name}", at most ${config.skippedMax} may be.`);
      info('tests_ran', `${ran} tests ran in "${name}": ${passed} passed and ${failed} failed. ${skipped} were skipped.`);
    }
  },
});

const reasonOf = ({ message }: { readonly message: string | undefined }) => (message === undefined ? '.' : `: ${message}`);

const describeContent = (content: unknown): string =>
  content === undefined ? 'its content is kept elsewhere, at its URI' : 'it is JSON, and has to be one text with the XML in it';

export default definePlugin({ name: 'junit', apiVersion: 1, validators: [junit] });
