import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { type CoverageReport, readCoverage } from './read-coverage.ts';

const fixture = (name: string): string => readFileSync(new URL(`../fixtures/${name}`, import.meta.url), 'utf8');

function read(content: unknown): CoverageReport {
  const report = readCoverage(content);
  if ('problem' in report) throw new Error(report.problem);
  return report;
}

test('the summary and the lcov file that c8 writes of one run say the same', () => {
  const lines = { covered: 6, total: 7 };
  const wanted = { lines, branches: { covered: 3, total: 5 }, functions: { covered: 1, total: 3 } };

  expect(read(JSON.parse(fixture('c8-summary.json'))).total).toEqual({ ...wanted, statements: lines });
  expect(read(fixture('c8.lcov')).total).toEqual(wanted);
  expect(read(fixture('c8.lcov')).files.get('src/sum.js')).toEqual({
    lines: { covered: 5, total: 5 },
    branches: { covered: 2, total: 3 },
    functions: { covered: 1, total: 2 },
  });
});

test('of nothing c8 writes Unknown, which is read as nothing', () => {
  expect(read(JSON.parse(fixture('c8-nothing-summary.json'))).total.lines).toEqual({ covered: 0, total: 0 });
});

test('lcov without sums is counted line by line', () => {
  expect(read(fixture('simplecov.lcov')).total).toEqual({ lines: { covered: 3, total: 5 } });
});

test('a file that comes once for each test is covered by all of them together', () => {
  expect(read(fixture('geninfo-two-tests.lcov')).total).toEqual({
    lines: { covered: 3, total: 3 },
    branches: { covered: 1, total: 2 },
    functions: { covered: 2, total: 2 },
  });
});

test.each([
  ['a percentage alone', { percentage: 100 }, 'expected object, received undefined → at total'],
  ['more covered than there is', { total: { lines: { total: 1, covered: 2 } } }, 'More is covered than there is. → at total.lines'],
  ['a half covered line', { total: { lines: { total: 1, covered: 0.5 } } }, 'expected int, received number → at total.lines.covered'],
  ['a broken text', '{"total":', 'expected object, received undefined'],
  ['no records', 'TN:\nend_of_record\n', 'it has no record of a file (SF:)'],
  ['an empty text', '', 'it has no record of a file (SF:)'],
  ['more hit than found', 'SF:a.ts\nLF:1\nLH:2\nend_of_record', 'a.ts: 2 of 1 lines are covered, more than there are'],
])('%s is refused with the reason', (_, content, problem) => {
  expect(readCoverage(content)).toEqual({ problem: expect.stringContaining(problem) });
});
