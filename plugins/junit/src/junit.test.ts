import { testValidator } from '@baton/sdk/plugin/testing';
import { test } from 'vitest';
import plugin from './index.ts';

const [junit] = plugin.validators;
const report = (...cases: string[]) =>
  `<?xml version="1.0"?><testsuites><testsuite name="s"><testsuite name="t">${cases.join('')}</testsuite></testsuite></testsuites>`;
const passed = '<testcase classname="a" name="adds" time="0.1"/>';
const failed = '<testcase classname="a" name="adds"><failure message="1 is not 2">stack</failure></testcase>';
const of = (content: string) => ({ artifacts: [{ type: 'test_report', content }] });

test('a report is judged: all green, enough of them, and which are flaky', async () => {
  await testValidator(junit!, {
    folder: new URL('..', import.meta.url),
    valid: [
      { name: 'all green', ...of(report(passed)) },
      { name: 'one suite without the frame', ...of(`<testsuite name="s">${passed}</testsuite>`) },
      { name: 'a flaky one is a warning', config: { repeatsAreReruns: true }, ...of(report(failed, passed)) },
      { name: 'skipped ones', ...of(report(passed, '<testcase name="later"><skipped/></testcase>')) },
      {
        name: 'words of passed and skipped tests',
        ...of(report('<testcase name="x" status="Passed"/><testcase name="y" result="ok"/><testcase name="z" status="skipped"/>')),
      },
      {
        name: 'what has no say',
        ...of(
          `<testsuite><properties><property name="failure" value="x"/></properties><system-out>failed</system-out>${passed}<system-err/></testsuite>`,
        ),
      },
      { name: 'no test is wanted', config: { testsMin: 0 }, ...of('<testsuites/>') },
    ],
    invalid: [
      { name: 'a failure', ...of(report(failed)), codes: ['test_failed'] },
      { name: 'a failure beside a test of the same name that passes', ...of(report(failed, passed)), codes: ['test_failed'] },
      { name: 'an error', ...of(report('<testcase name="x"><error message="m"/></testcase>')), codes: ['test_failed'] },
      { name: 'a status that says so', ...of(report('<testcase name="x" status="Failed"/>')), codes: ['test_failed'] },
      { name: 'a result that says so', ...of(report('<testcase name="x" status="run" result="error"/>')), codes: ['test_failed'] },
      {
        name: 'a set-up that failed',
        ...of(`<testsuite name="s" tests="1" errors="1">${passed}<error message="no database"/></testsuite>`),
        codes: ['suite_failed'],
      },
      { name: 'a suite whose status says so', ...of(`<testsuite name="s" status="FAILED">${passed}</testsuite>`), codes: ['suite_failed'] },
      {
        name: 'a failure in a report within a report',
        ...of(
          `<testsuites><testsuite name="s">${passed}<testsuites><testsuite>${failed}</testsuite></testsuites></testsuite></testsuites>`,
        ),
        codes: ['test_failed'],
      },
      { name: 'an element that nobody knows', ...of(report('<testcase name="x"><Failure/></testcase>')), codes: ['report_unreadable'] },
      { name: 'a status that nobody knows', ...of(report('<testcase name="x" status="red"/>')), codes: ['report_unreadable'] },
      {
        name: 'a flaky one where it is said',
        config: { flaky: 'fail', repeatsAreReruns: true },
        ...of(report(failed, passed)),
        codes: ['test_flaky'],
      },
      {
        name: 'reruns of surefire',
        config: { flaky: 'fail' },
        ...of(report('<testcase name="x"><flakyFailure message="m"/></testcase>')),
        codes: ['test_flaky'],
      },
      { name: 'no tests', ...of(report()), codes: ['tests_too_few'] },
      { name: 'skipped ones alone', ...of(report('<testcase name="later"><skipped/></testcase>')), codes: ['tests_too_few'] },
      { name: 'one that is cut off', ...of(`<testsuite tests="2">${passed}</testsuite>`), codes: ['totals_disagree'] },
      {
        name: 'too many are skipped',
        config: { skippedMax: 0 },
        ...of(report(passed, '<testcase name="later"><skipped/></testcase>')),
        codes: ['tests_skipped'],
      },
      { name: 'no report', ...of('all green'), codes: ['report_unreadable'] },
      { name: 'JSON', ...of({ passed: 41 } as unknown as string), codes: ['report_unreadable'] },
      { name: 'one that lies elsewhere', artifacts: [{ type: 'test_report' }], codes: ['report_unreadable'] },
    ],
    skipped: [{ name: 'none', reason: 'There is no artifact test_report' }],
  });
});
