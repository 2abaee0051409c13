import { testValidator } from '@baton/sdk/plugin/testing';
import { expect, test } from 'vitest';
import plugin from './index.ts';
import { readJUnit } from './read-junit.ts';

const [junit] = plugin.validators;
const report = (...cases: string[]) =>
  `<?xml version="1.0"?><testsuites tests="9"><testsuite name="s"><testsuite name="t">${cases.join('')}</testsuite></testsuite></testsuites>`;
const passed = '<testcase classname="a" name="adds" time="0.1"/>';
const failed = '<testcase classname="a" name="adds"><failure message="1 is not 2">stack</failure></testcase>';
const of = (content: string) => ({ artifacts: [{ type: 'test_report', content }] });

test('a report is judged: all green, enough of them, and which are flaky', async () => {
  await testValidator(junit!, {
    folder: new URL('..', import.meta.url),
    valid: [
      { name: 'all green', ...of(report(passed)) },
      { name: 'one suite without the frame', ...of(`<testsuite name="s">${passed}</testsuite>`) },
      { name: 'a flaky one is a warning', ...of(report(failed, passed)) },
      { name: 'skipped ones', ...of(report(passed, '<testcase name="later"><skipped/></testcase>')) },
      { name: 'no test is wanted', config: { testsMin: 0 }, ...of('<testsuites/>') },
    ],
    invalid: [
      { name: 'a failure', ...of(report(failed)), codes: ['test_failed'] },
      { name: 'an error', ...of(report('<testcase name="x"><error message="m"/></testcase>')), codes: ['test_failed'] },
      { name: 'a flaky one where it is said', config: { flaky: 'fail' }, ...of(report(failed, passed)), codes: ['test_flaky'] },
      {
        name: 'reruns of surefire',
        config: { flaky: 'fail' },
        ...of(report('<testcase name="x"><flakyFailure message="m"/></testcase>')),
        codes: ['test_flaky'],
      },
      { name: 'no tests', ...of(report()), codes: ['tests_too_few'] },
      {
        name: 'too many are skipped',
        config: { skippedMax: 0 },
        ...of(report(passed, '<testcase name="later"><skipped/></testcase>')),
        codes: ['tests_skipped'],
      },
      { name: 'no report', ...of('all green'), codes: ['report_unreadable'] },
      { name: 'another document', ...of('<html/>'), codes: ['report_unreadable'] },
    ],
    skipped: [{ name: 'none', reason: 'There is no artifact test_report' }],
  });
});

test('entities of a report are not expanded', () => {
  const bomb = `<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><testsuite>${passed.replace('adds', '&b;')}</testsuite>`;

  expect(readJUnit(bomb)?.[0]?.name).toBe('a › &b;');
});
