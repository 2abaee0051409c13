import { testValidator } from '@baton/sdk/plugin/testing';
import { test } from 'vitest';
import plugin from './index.ts';

const [coverage] = plugin.validators;
const summary = (covered: number, total = 1_000) => ({
  total: { lines: { total, covered, skipped: 0, pct: 0 }, branches: { total: 10, covered: 5 } },
  'src/a.ts': { lines: { total: 10, covered: 2 } },
});
const lcov = (hit: number) =>
  `TN:\nSF:src/a.ts\nLF:100\nLH:${hit}\nBRF:4\nBRH:4\nend_of_record\nSF:src/b.ts\nLF:100\nLH:100\nend_of_record\n`;
const of = (content: string | object) => ({ artifacts: [{ type: 'test_coverage', content: content as string }] });

test('a summary and lcov are held against what is wanted, together and file by file', async () => {
  await testValidator(coverage!, {
    folder: new URL('..', import.meta.url),
    valid: [
      { name: 'exactly enough', ...of(summary(800)) },
      { name: 'lcov over all files', ...of(lcov(60)) },
      { name: 'another threshold', config: { min: { branches: 50 } }, ...of(summary(0)) },
      { name: 'nothing to run, where it is said', config: { nothingMeasured: 'pass' }, ...of(summary(0, 0)) },
      {
        name: 'a file with nothing to run',
        config: { minPerFile: { branches: 50 } },
        ...of(lcov(100).replace('BRF:4\nBRH:4', 'BRF:0\nBRH:0').replace('LF:100\nLH:100\nend', 'LF:100\nLH:100\nBRF:2\nBRH:1\nend')),
      },
      { name: 'the text of a summary', ...of(JSON.stringify(summary(800))) },
      { name: 'each file of lcov', config: { minPerFile: { lines: 60 } }, ...of(lcov(60)) },
    ],
    invalid: [
      { name: 'a little too little', ...of(summary(799)), codes: ['coverage_low'] },
      { name: 'lcov', ...of(lcov(59)), codes: ['coverage_low'] },
      { name: 'a file by itself', config: { min: {}, minPerFile: { lines: 30 } }, ...of(summary(1_000)), codes: ['coverage_low'] },
      { name: 'nothing said of functions', config: { min: { functions: 1 } }, ...of(summary(1_000)), codes: ['coverage_missing'] },
      { name: 'nothing to run', ...of(summary(0, 0)), codes: ['coverage_empty'] },
      {
        name: 'no branch',
        config: { min: { branches: 80 } },
        ...of(lcov(100).replace('BRF:4\nBRH:4', 'BRF:0\nBRH:0')),
        codes: ['coverage_empty'],
      },
      { name: 'more covered than there is', ...of(summary(1_001)), codes: ['coverage_unreadable'] },
      { name: 'more covered than there is, in lcov', ...of(lcov(101)), codes: ['coverage_unreadable'] },
      { name: 'no lines hit are told', ...of('SF:a.ts\nLF:100\nend_of_record\n'), codes: ['coverage_missing'] },
      { name: 'one that lies elsewhere', artifacts: [{ type: 'test_coverage' }], codes: ['coverage_unreadable'] },
      { name: 'another thing', ...of({ percentage: 100 }), codes: ['coverage_unreadable'] },
      { name: 'text that is no lcov', ...of('100 %'), codes: ['coverage_unreadable'] },
    ],
    skipped: [{ name: 'no report', reason: 'There is no artifact test_coverage' }],
  });
});
