import { expect, test } from 'vitest';
import { countTests } from './count-tests.ts';

test.each([
  [
    'a suite within a suite is counted with the outer one',
    '<testsuite tests="5" failures="1"><testsuite tests="3" failures="1"/><testsuite tests="2"></testsuite></testsuite>',
    { passed: 4, failed: 1 },
  ],
  [
    'suites beside each other are added up',
    '<testsuites><testsuite tests="3"/><testsuite tests="2" errors="1"/></testsuites>',
    { passed: 4, failed: 1 },
  ],
  [
    'a suite that does not count stands for those in it',
    '<testsuite name="all"><testsuite tests="3"><testsuite tests="3"/></testsuite><testsuite tests="2" skipped="1"/></testsuite>',
    { passed: 4, failed: 0, skipped: 1 },
  ],
  ['a quoted attribute may hold signs', `<testsuite name="a > b" tests="3" failures='1'/>`, { passed: 2, failed: 1 }],
  ['what stands in an attribute is no attribute', `<testsuite name=' tests="9"' tests="3"/>`, { passed: 3, failed: 0 }],
  [
    'what a test printed is no suite',
    '<testsuite><system-out><![CDATA[<testsuite tests="9"/>]]></system-out><!-- <testsuite tests="9"/> --></testsuite><testsuite tests="1"/>',
    { passed: 1, failed: 0 },
  ],
  ['a report that does not count says nothing', '<testsuite name="all"/>', undefined],
])('%s', (_, report, counts) => {
  expect(countTests('junit', report)).toEqual(counts);
});
