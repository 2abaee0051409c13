import { type Criterion, criterion, type JsonValue } from '@baton/sdk/plugin';
import { makeArtifact, testValidator } from '@baton/sdk/plugin/testing';
import { describe, expect, test } from 'vitest';
import plugin from './index.ts';
import { judgeCriterion } from './judge-criterion.ts';

const artifact = (content: JsonValue | undefined, { type = 'report', name = 'default' } = {}) =>
  makeArtifact({ type, name, ...(content === undefined ? {} : { content }) });

const judge = (content: JsonValue | undefined, criterion: Omit<Criterion, 'artifact'>) =>
  judgeCriterion({ artifact: 'report', ...criterion }, [artifact(content)]).map(({ message }) => message);

describe('a criterion that holds', () => {
  test.each<[JsonValue, Omit<Criterion, 'artifact'>]>([
    [{ percentage: 80 }, { path: 'percentage', op: '>=', value: 80 }],
    [{ failed: 0 }, { path: 'failed', op: '==', value: 0 }],
    [{ failed: 0 }, { path: 'failed', op: '<', value: 1 }],
    [{ failed: 1 }, { path: 'failed', op: '<=', value: 1 }],
    [{ a: { b: [1, 2] } }, { path: 'a', op: '==', value: { b: [1, 2] } }],
    [{ state: 'green' }, { path: 'state', op: '!=', value: 'red' }],
    [{ suites: [{ passed: 3 }, { passed: 4 }] }, { path: 'suites.1.passed', op: '>', value: 3 }],
    [{ length: 600 }, { path: 'length', op: '>=', value: 500 }],
    ['x'.repeat(600), { path: 'length', op: '>=', value: 500 }],
    [
      { text: 'abc', list: [1, 2] },
      { path: 'text.length', op: '==', value: 3 },
    ],
    [
      { text: 'abc', list: [1, 2] },
      { path: 'list.length', op: '==', value: 2 },
    ],
    [{ text: 'a sharp knife' }, { path: 'text', op: 'contains', value: 'sharp' }],
    [{ sections: ['scope', 'risks'] }, { path: 'sections', op: 'contains', value: 'scope' }],
    [{ sections: ['scope', 'acceptance_criteria', 'x'] }, { path: 'sections', op: 'containsAll', value: ['scope', 'acceptance_criteria'] }],
    [{ sections: { scope: '…', risks: '…' } }, { path: 'sections', op: 'containsAll', value: ['scope'] }],
    [{ version: '1.2.3' }, { path: 'version', op: 'matches', value: '^\\d+\\.\\d+\\.\\d+$' }],
    [{ tests: [] }, { path: 'tests', op: 'exists' }],
    [{}, { path: 'secret', op: 'exists', value: false }],
    [{ error: null }, { path: 'error', op: '==', value: null }],
    [{ failed: 0 }, { path: 'errors', op: '==', value: 0, optional: true }],
    [{ errors: 0 }, { path: 'errors', op: '==', value: 0, optional: true }],
  ])('%j: %j', (content, criterion) => {
    expect(judge(content, criterion)).toEqual([]);
  });
});

describe('a criterion that does not hold says what was found and what was wanted', () => {
  test.each<[JsonValue | undefined, Omit<Criterion, 'artifact'>, string]>([
    [{ percentage: 61.4 }, { path: 'percentage', op: '>=', value: 80 }, 'report: percentage is 61.4, wanted >= 80'],
    [{ percentage: 79.9 }, { path: 'percentage', op: '>=', value: 80 }, 'report: percentage is 79.9, wanted >= 80'],
    [{ percentage: null }, { path: 'percentage', op: '>=', value: 80 }, 'report: percentage is null, wanted >= 80'],
    [{ percentage: '81' }, { path: 'percentage', op: '>=', value: 80 }, 'report: percentage is "81", wanted >= 80 (it is not a number)'],
    [{}, { path: 'percentage', op: '>=', value: 80 }, 'report: percentage is missing, wanted >= 80'],
    [null, { path: 'percentage', op: '>=', value: 80 }, 'report: percentage is missing, wanted >= 80'],
    [
      undefined,
      { path: 'percentage', op: '>=', value: 80 },
      'report: its content is kept elsewhere, so that percentage cannot be read, wanted >= 80',
    ],
    [
      { percentage: 90 },
      { path: 'percentage', op: '>=' },
      'report: percentage is 90, wanted >= (the criterion has no value to compare with)',
    ],
    [
      { percentage: 90 },
      { path: 'percentage', op: '>=', value: 'much' },
      'report: percentage is 90, wanted >= "much" (the criterion has no number to compare with)',
    ],
    [{ state: null }, { path: 'state', op: '!=', value: 'red' }, 'report: state is null, wanted != "red"'],
    [{ length: 120 }, { path: 'length', op: '>=', value: 500 }, 'report: length is 120, wanted >= 500'],
    [
      { sections: ['scope'] },
      { path: 'sections', op: 'containsAll', value: ['scope', 'risks'] },
      'report: sections is ["scope"], wanted to contain all of ["scope","risks"]',
    ],
    [
      { sections: 5 },
      { path: 'sections', op: 'contains', value: 5 },
      'report: sections is 5, wanted to contain 5 (it is neither a text nor a list nor an object)',
    ],
    [
      { sections: ['a'] },
      { path: 'sections', op: 'containsAll', value: 'a' },
      'report: sections is ["a"], wanted to contain all of "a" (the criterion has no list to look for)',
    ],
    [{ tests: null }, { path: 'tests', op: 'exists' }, 'report: tests is null, wanted to be there'],
    [{ secret: 'x' }, { path: 'secret', op: 'exists', value: false }, 'report: secret is "x", wanted not to be there'],
    [{ version: 3 }, { path: 'version', op: 'matches', value: '3' }, 'report: version is 3, wanted to match "3" (it is not a text)'],
    [
      { version: '3' },
      { path: 'version', op: 'matches', value: '(' },
      'report: version is "3", wanted to match "(" (the pattern is wrong: error parsing regexp: missing closing ): `(`)',
    ],
    [
      { words: `${'a'.repeat(40)}!` },
      { path: 'words', op: 'matches', value: String.raw`^(\w+\s?)+$` },
      `report: words is "${'a'.repeat(40)}!", wanted to match ${JSON.stringify(String.raw`^(\w+\s?)+$`)}`,
    ],
  ])('%j: %j', (content, criterion, message) => {
    expect(judge(content, criterion)).toEqual([message]);
  });

  test.each(['constructor.name', '__proto__', 'toString', 'list.map', 'text.0'])('what %s would inherit is not found', (path) => {
    expect(judge({ list: [], text: 'a' }, { path, op: 'exists' })).toEqual([`report: ${path} is missing, wanted to be there`]);
  });
});

test('every artifact of the type is judged, and named where it has a name', () => {
  const artifacts = [artifact({ failed: 0 }), artifact({ failed: 2 }, { name: 'unit' }), artifact({ failed: 9 }, { type: 'other' })];

  expect(judgeCriterion({ artifact: 'report', path: 'failed', op: '==', value: 0 }, artifacts)).toEqual([
    { severity: 'fail', code: 'criterion_failed', message: 'report (unit): failed is 2, wanted == 0' },
  ]);
});

test('an artifact that is not there fails', () => {
  expect(judgeCriterion({ artifact: 'test_coverage', path: 'percentage', op: '>=', value: 80 }, [])).toEqual([
    { severity: 'fail', code: 'artifact_missing', message: 'test_coverage: there is no such artifact, wanted percentage >= 80' },
  ]);
});

test('an artifact that is not there is one thing, however much is wanted of it', async () => {
  const said: string[] = [];
  const report = (code: string, message: string) => void said.push(`${code} ${message}`);
  const criteria = ['lines', 'branches'].map((path) => ({ artifact: 'test_coverage', path, op: '>=' as const, value: 80 }));

  await plugin.validators[0]!.validate({ config: { criteria }, artifacts: [], fail: report, info: report } as never);

  expect(said).toEqual(['artifact_missing test_coverage: there is no such artifact, wanted lines >= 80']);
});

describe('a small sample is given its margin', () => {
  const atLeast = { path: 'percentage', op: '>=', value: 80, smallSample: { path: 'statements', below: 20, margin: 5 } } as const;
  const atMost = { path: 'failureRate', op: '<', value: 2, smallSample: { path: 'runs.length', below: 3, margin: 0.5 } } as const;

  test.each<[string, JsonValue, Omit<Criterion, 'artifact'>, readonly string[]]>([
    ['not asked for', { percentage: 80, statements: 19 }, atLeast, []],
    [
      'less, and enough',
      { percentage: 75, statements: 19 },
      atLeast,
      ['info small_sample report: percentage is 75, which is enough: wanted >= 75 (80 − 5, because statements is 19, less than 20)'],
    ],
    [
      'less, and not enough',
      { percentage: 74.9, statements: 19 },
      atLeast,
      ['fail criterion_failed report: percentage is 74.9, wanted >= 75 (80 − 5, because statements is 19, less than 20)'],
    ],
    [
      'the sample is not small',
      { percentage: 79, statements: 20 },
      atLeast,
      ['fail criterion_failed report: percentage is 79, wanted >= 80'],
    ],
    [
      'one is the smallest',
      { percentage: 75, statements: 1 },
      atLeast,
      ['info small_sample report: percentage is 75, which is enough: wanted >= 75 (80 − 5, because statements is 1, less than 20)'],
    ],
    [
      'an empty one shows nothing',
      { percentage: 79, statements: 0 },
      atLeast,
      ['fail criterion_failed report: percentage is 79, wanted >= 80'],
    ],
    [
      'decimals are added as they are written',
      { rate: 0.8, runs: 1 },
      { path: 'rate', op: '<=', value: 0.7, smallSample: { path: 'runs', below: 3, margin: 0.1 } },
      ['info small_sample report: rate is 0.8, which is enough: wanted <= 0.8 (0.7 + 0.1, because runs is 1, less than 3)'],
    ],
    ['a large one', { percentage: 79, statements: 1e15 }, atLeast, ['fail criterion_failed report: percentage is 79, wanted >= 80']],
    ['its size is missing', { percentage: 79 }, atLeast, ['fail criterion_failed report: percentage is 79, wanted >= 80']],
    [
      'its size is no number',
      { percentage: 79, statements: '3' },
      atLeast,
      ['fail criterion_failed report: percentage is 79, wanted >= 80'],
    ],
    [
      'the other way',
      { failureRate: 2.4, runs: [1, 2] },
      atMost,
      ['info small_sample report: failureRate is 2.4, which is enough: wanted < 2.5 (2 + 0.5, because runs.length is 2, less than 3)'],
    ],
    [
      'what cannot be compared is not enough either',
      { percentage: null, statements: 1 },
      atLeast,
      ['fail criterion_failed report: percentage is null, wanted >= 75 (80 − 5, because statements is 1, less than 20)'],
    ],
  ])('%s', (_, content, criterion, wanted) => {
    const said = judgeCriterion({ artifact: 'report', ...criterion }, [artifact(content)]);

    expect(said.map(({ severity, code, message }) => `${severity} ${code} ${message}`)).toEqual(wanted);
  });

  test('and passes, with the margin told', async () => {
    await testValidator(plugin.validators[0]!, {
      folder: new URL('..', import.meta.url),
      valid: [
        {
          name: 'a small one',
          config: { criteria: [{ artifact: 'report', ...atLeast }] },
          artifacts: [{ type: 'report', content: { percentage: 75, statements: 19 } }],
        },
      ],
      invalid: [
        {
          name: 'a large one',
          config: { criteria: [{ artifact: 'report', ...atLeast }] },
          artifacts: [{ type: 'report', content: { percentage: 75, statements: 20 } }],
          codes: ['criterion_failed'],
        },
      ],
    });
  });

  test('with an operator that compares no sizes is a mistake', () => {
    expect(
      criterion.safeParse({ artifact: 'a', path: 'b', op: '==', value: 1, smallSample: atLeast.smallSample }).error?.issues,
    ).toMatchObject([{ path: ['smallSample'], message: 'A margin needs an operator that compares sizes: >, >=, < or <=.' }]);
  });
});

test.each<[string, object, string, string]>([
  ['no value', { op: '>=' }, 'value', '>= needs a value to compare with.'],
  ['a text as a size', { op: '>=', value: '80' }, 'value', '>= compares with a number.'],
  ['no list', { op: 'containsAll', value: 'scope' }, 'value', 'containsAll takes a list; contains takes one value.'],
  ['no pattern', { op: 'matches', value: 3 }, 'value', 'matches takes a regular expression, as a text.'],
  ['a value that exists has no use for', { op: 'exists', value: 'yes' }, 'value', 'exists takes true, false or no value.'],
  [
    'a gap',
    { path: 'suites..failed', op: 'exists' },
    'path',
    'A path is names and indices with one dot between them, as in suites.0.failed.',
  ],
  [
    'a dot at the end',
    { path: 'suites.', op: 'exists' },
    'path',
    'A path is names and indices with one dot between them, as in suites.0.failed.',
  ],
])('a criterion with %s is a mistake that is told with its field', (_, given, path, message) => {
  const checked = criterion.safeParse({ artifact: 'a', path: 'b', ...given });

  expect(checked.error?.issues.map((issue) => [issue.path.join('.'), issue.message])).toEqual([[path, message]]);
});

test('a configuration with an unknown operator does not fit', () => {
  const [validator] = plugin.validators;

  expect(validator!.config.safeParse({ criteria: [{ artifact: 'a', path: 'b', op: '=~', value: 1 }] }).success).toBe(false);
  expect(validator!.config.safeParse({ criteria: [{ artifact: 'a', path: 'b', op: '==', value: 1 }] }).success).toBe(true);
});
