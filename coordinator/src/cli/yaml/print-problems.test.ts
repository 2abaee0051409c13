import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { printProblems } from './print-problems.ts';

function print(count: number, consequence?: string): string[] {
  const stderr = new PassThrough();
  const problems = Array.from({ length: count }, (_, index) => ({ line: index + 1, column: 1, path: 'phases', message: 'is wrong' }));
  printProblems({ stderr }, { file: 'w.yaml', problems, ...(consequence !== undefined && { consequence }) });
  return String(stderr.read()).trimEnd().split('\n');
}

test('few mistakes are all shown, with what follows from them', () =>
  expect(print(2, 'Nothing was started.')).toEqual([
    'w.yaml:1:1 phases: is wrong',
    'w.yaml:2:1 phases: is wrong',
    '2 mistakes in w.yaml. Nothing was started.',
  ]));

test('of many the first are shown, and how many there are', () => {
  const lines = print(312);

  expect(lines).toHaveLength(51);
  expect(lines.slice(49)).toEqual(['w.yaml:50:1 phases: is wrong', '312 mistakes in w.yaml, of which the first 50 are shown.']);
});
