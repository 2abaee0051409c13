import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { checkTotals } from './check-totals.ts';
import { listTests, type Test } from './list-tests.ts';
import { readJUnit, type Suite } from './read-junit.ts';

const read = (text: string): readonly Suite[] => {
  const suites = readJUnit(text);
  if ('problem' in suites) throw new Error(suites.problem);
  return suites;
};
const fixture = (name: string) => read(readFileSync(new URL(`../fixtures/${name}.xml`, import.meta.url), 'utf8'));
const describe = ({ name, state, isFlaky, message }: Test) =>
  `${isFlaky ? 'flaky' : state} ${name}${message === undefined ? '' : `: ${message}`}`;
const testsOf = (name: string, repeatsAreReruns = false) => listTests(fixture(name), { repeatsAreReruns }).map(describe);

test.each<[string, readonly string[]]>([
  [
    'vitest',
    [
      'passed src/a.test.ts › sum > adds',
      'failed src/a.test.ts › sum > subtracts: expected +0 to be 1 // Object.is equality',
      'skipped src/a.test.ts › sum > divides',
      'skipped src/a.test.ts › sum > multiplies',
      'passed src/a.test.ts › is flaky',
      'failed src/a.test.ts › same name: expected 1 to be 2 // Object.is equality',
      'passed src/a.test.ts › same name',
      'passed src/b.test.ts › same name',
      "failed src/c.test.ts: Cannot find module './missing' imported from /project/src/c.test.ts",
    ],
  ],
  [
    'pytest',
    [
      'passed test_a.TestSum › test_adds',
      'failed test_a.TestSum › test_subtracts: AssertionError: <no> & "so"',
      'skipped test_a › test_skipped',
      'skipped test_a › test_known',
      'failed test_a › test_both: assert False',
      'failed test_a › test_both: failed on teardown with "RuntimeError: teardown"',
      'failed test_a › test_teardown: failed on teardown with "RuntimeError: teardown"',
      'passed test_a › test_p[1]',
      'passed test_a › test_p[2]',
    ],
  ],
  [
    'jest-junit',
    [
      'passed sum adds',
      'failed sum subtracts: Error: expect(received).toBe(expected) // Object.is equality',
      'skipped sum divides',
      "failed Test suite failed to run › broken.test.js Test suite failed to run: Cannot find module './missing' from 'broken.test.js'",
    ],
  ],
  [
    'surefire-reruns',
    [
      'passed org.example.SumTest › adds',
      'flaky org.example.SumTest › retries',
      'failed org.example.SumTest › subtracts: expected: <1> but was: <0>',
      'skipped org.example.SumTest › divides',
    ],
  ],
  [
    'go-junit-report',
    [
      'passed example.org/sum › TestAdds',
      'failed example.org/sum › TestSubtracts: Failed',
      'skipped example.org/sum › TestDivides',
      'passed example.org/sum/internal › TestAdds',
    ],
  ],
  ['googletest', ['passed SumTest › Adds', 'skipped SumTest › DISABLED_Multiplies', 'skipped SumTest › Divides']],
  [
    'phpunit',
    [
      'passed SumTest › testAdds',
      'passed SumTest › testSubtracts with data set #0',
      'failed SumTest › testSubtracts with data set #1: SumTest::testSubtracts with data set #1 (1, 0)',
    ],
  ],
])('what %s writes is read, and its totals agree', (name, tests) => {
  expect(testsOf(name)).toEqual(tests);
  expect(checkTotals(fixture(name))).toEqual([]);
});

test('a test that failed and then passed beside it is flaky only where repeats are said to be reruns', () => {
  expect(testsOf('gotestsum-reruns', true)).toEqual(['flaky example.org/sum › TestRetries', 'passed example.org/sum › TestAdds']);
  expect(testsOf('gotestsum-reruns')).toEqual([
    'failed example.org/sum › TestRetries: Failed',
    'passed example.org/sum › TestAdds',
    'passed example.org/sum › TestRetries',
  ]);
});

test('tests of one name in two suites, or in two files, are two, also where repeats are reruns', () => {
  const suite = (name: string, inside: string) => `<testsuite name="${name}">${inside}</testsuite>`;
  const broken = '<testcase classname="a" name="adds"><failure message="no"/></testcase>';
  const fine = '<testcase classname="a" name="adds"/>';
  const [here, there] = [broken, fine].map((one, index) => one.replace('classname', `file="${index}.php" classname`));
  const list = (text: string) => listTests(read(`<testsuites>${text}</testsuites>`), { repeatsAreReruns: true }).map(describe);

  expect(list(suite('unit', broken) + suite('slow', fine))).toEqual(['failed unit › a › adds: no', 'passed slow › a › adds']);
  expect(list(suite('all', suite('unit', broken) + suite('slow', fine)))).toEqual([
    'failed all › unit › a › adds: no',
    'passed all › slow › a › adds',
  ]);
  expect(list(suite('unit', `${here}${there}`))).toEqual(['failed unit › a › adds: no', 'passed unit › a › adds']);
  expect(list(suite('unit', broken) + suite('unit', fine))).toEqual(['flaky a › adds']);
});

test.each([
  ['more tests', '<testsuite name="s" tests="2"><testcase name="a"/></testsuite>', 'fail s announces 2 tests and shows 1.'],
  ['failures', '<testsuite name="s" failures="1"><testcase name="a"/></testsuite>', 'fail s announces 1 failures and errors and shows 0.'],
  ['errors', '<testsuites errors="2"><testsuite name="s"/></testsuites>', 'fail The report announces 2 failures and errors and shows 0.'],
  ['fewer', '<testsuite name="s" tests="1"><testcase name="a"/><testcase name="b"/></testsuite>', 'warn s announces 1 tests and shows 2.'],
])('a report that announces %s is found', (_, text, wanted) => {
  expect(checkTotals(read(text)).map(({ severity, message }) => `${severity} ${message}`)).toEqual([wanted]);
});

test.each([
  ['text', 'all green', "it is no XML: char 'a' is not expected. (line 1)"],
  ['another document', '<html/>', 'it has neither <testsuites> nor <testsuite> at its top'],
  ['one cut off', '<testsuite>\n<testcase name="a"/>', 'it is no XML: '],
  [
    'one with entities',
    '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa">]><testsuite name="&a;"/>',
    'it has a DOCTYPE, which is not read',
  ],
  [
    'one with an element that is not known',
    '<testsuite><testcase name="a"><Failure/></testcase></testsuite>',
    'it has <Failure> in a <testcase>, and what that says of the test is not known. Write it as failure, error or skipped, or leave it out',
  ],
  [
    'one with an element that is not known in a suite',
    '<testsuites><testsuite><testcases/></testsuite></testsuites>',
    'it has <testcases> in a <testsuite>, and what that says of its tests is not known. Write it as testsuite, testcase, failure or error, or leave it out',
  ],
  [
    'one with a status that is not known',
    '<testsuite><testcase name="a" status="red"/></testsuite>',
    'it has a <testcase> with status="red", and what that says of the test is not known. Write passed, failed or skipped, or leave it out',
  ],
  [
    'one with a status of a suite that is not known',
    '<testsuites><testsuite status="exploded"><testcase name="a"/></testsuite></testsuites>',
    'it has a <testsuite> with status="exploded", and what that says of its tests is not known. Write passed, failed or skipped, or leave it out',
  ],
  [
    'one with a result of the whole that is not known',
    '<testsuites result="exploded"><testsuite/></testsuites>',
    'it has a <testsuites> with result="exploded", and what that says of its tests is not known',
  ],
  ['a deep one', '<testsuite>'.repeat(5_000) + '</testsuite>'.repeat(5_000), 'Maximum nested tags exceeded'],
])('%s is not read', (_, text, problem) => {
  expect(readJUnit(text)).toEqual({ problem: expect.stringContaining(problem) });
});
