import { expect, test } from 'vitest';
import { checkNeeds, checkOffers, covers, namesOf, uncovered } from './capability-rules.ts';

test.each([
  { offered: ['python'], needed: ['python'], covered: true },
  { offered: ['python', 'testing'], needed: ['python'], covered: true },
  { offered: ['python'], needed: ['python', 'testing'], covered: false },
  { offered: [], needed: [], covered: true },
  { offered: ['pythonic'], needed: ['python'], covered: false },
  { offered: ['python@3.12.1'], needed: ['python'], covered: true },
  { offered: ['python@3.12.1'], needed: ['python@>=3.11 <4'], covered: true },
  { offered: ['python@3.10.9'], needed: ['python@>=3.11 <4'], covered: false },
  { offered: ['python@4.0.0'], needed: ['python@>=3.11 <4'], covered: false },
  { offered: ['python@3.10.9', 'python@3.12.1'], needed: ['python@>=3.11 <4'], covered: true },
  { offered: ['python'], needed: ['python@>=3.11'], covered: false },
  { offered: ['node@24.21.0'], needed: ['node@^24'], covered: true },
  { offered: ['node@25.0.0'], needed: ['node@^24'], covered: false },
  { offered: ['node@24.21.0'], needed: ['node@^22 || ^24'], covered: true },
  { offered: ['node@24.21.0'], needed: ['node@24.21.0'], covered: true },
  { offered: ['node@24.21.0'], needed: ['node@*'], covered: true },
  { offered: ['node@24.21.0'], needed: ['deno@*'], covered: false },
  { offered: ['node@24.21'], needed: ['node@24.21.0'], covered: true },
  { offered: ['node@24'], needed: ['node@>=24.1'], covered: false },
  { offered: ['python@3.14.0-rc.1'], needed: ['python@>=3.11'], covered: false },
  { offered: ['python@3.14.0-rc.1'], needed: ['python@>=3.14.0-rc.0'], covered: true },
])('who offers $offered covers the need of $needed: $covered', ({ offered, needed, covered }) => {
  expect(covers(offered, needed)).toBe(covered);
});

test('what nobody offers is named as it is needed', () => {
  expect(uncovered(['python@3.10.0', 'git'], ['python@>=3.11', 'git', 'docker'])).toEqual(['python@>=3.11', 'docker']);
});

test('names are without versions, sorted, and each once', () => {
  expect(namesOf(['python@3.12.1', 'git', 'python@3.11.0'])).toEqual(['git', 'python']);
});

test.each(['python@3.12.1', 'python@3.12', 'python@3', 'python@3.14.0-rc.1', 'python'])('%s may be offered', (offer) => {
  expect(() => checkOffers([offer], 'capabilities')).not.toThrow();
});

test.each(['python@three', 'python@>=3.11', 'ubuntu@24.04', 'python@', 'python@1.2.3.4', 'python@3.', 'python@^3'])(
  '%s may not be offered, and why is said',
  (offer) => {
    expect(() => checkOffers(['git', offer], 'capabilities')).toThrow(
      expect.objectContaining({
        kind: 'invalid_params',
        data: {
          fields: [{ path: 'capabilities[1]', message: expect.stringContaining(`${offer} is no capability. Write a version`) as string }],
          problems: [
            { path: 'capabilities[1]', value: offer, remedy: expect.stringMatching(/such as (python|ubuntu)@3\.12\.1/) as string },
          ],
        },
      }) as Error,
    );
  },
);

test.each(['python@>=3.11 <4', 'python@^3', 'python@3.11 - 3.12', 'python@3.x', 'python@*', 'python'])('%s may be needed', (need) => {
  expect(() => checkNeeds([need], 'tasks[0].capabilities')).not.toThrow();
});

test.each(['python@three', 'python@>=>3', 'ubuntu@24.04'])('%s may not be needed, and why is said', (need) => {
  expect(() => checkNeeds([need], 'tasks[0].capabilities')).toThrow(
    expect.objectContaining({
      kind: 'invalid_params',
      data: expect.objectContaining({
        problems: [
          { path: 'tasks[0].capabilities[0]', value: need, remedy: expect.stringContaining('Write a range of versions') as string },
        ],
      }) as object,
    }) as Error,
  );
});
