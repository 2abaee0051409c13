import type { JsonObject } from '@baton/protocol';
import { describe, expect, test } from 'vitest';
import type { Offered } from '../plan/read-offered.ts';
import { formatProblem, readYamlDocument } from '../yaml/yaml-document.ts';
import { checkWorkflow } from './check-workflow.ts';

const head = 'name: article\nphases:\n';
const tail = '  - { name: B }\nedges:\n  - { from: A, to: B, kind: forward }\n';

const configs = new Map<string, JsonObject>([
  [
    'coverage',
    { properties: { artifact: { type: 'string' }, min: { properties: { lines: { type: 'number' } } } }, additionalProperties: false },
  ],
]);
const offer = (...validators: string[]) => ({ validators, configs });
const check = async (text: string, offered: Offered = offer('criteria', 'coverage')): Promise<string[]> => {
  const { problems } = await checkWorkflow(readYamlDocument(text, 'w.yaml'), offered);
  return problems.map((problem) => formatProblem('w.yaml', problem));
};
const checkPhase = (fields: string, offered?: Offered): Promise<string[]> => check(`${head}  - { name: A, ${fields} }\n${tail}`, offered);

test('a workflow without mistakes is understood', async () => {
  const { workflow } = await checkWorkflow(readYamlDocument(`${head}  - { name: A }\n${tail}`, 'w.yaml'), offer());

  expect(workflow?.phases.map(({ name }) => name)).toEqual(['A', 'B']);
});

test('texts that no coordinator takes are found, in names as well', async () =>
  expect(await checkPhase('description: "a\\0b", gate: { validators: [{ use: criteria, config: { "\\uD83D": 1 } }] }')).toEqual([
    'w.yaml:3:29 holds a character that is not allowed: U+0000, or half of a surrogate pair',
    'w.yaml:3:85 holds a character that is not allowed: U+0000, or half of a surrogate pair',
  ]));

describe('a gate that nobody could open', () => {
  const lookingAhead = "{ artifact: a, path: n, op: matches, value: '(?=x)' }";

  test('with a type that no artifact has', async () =>
    expect(await checkPhase('gate: { artifacts: [Code Changes], criteria: [{ artifact: Text, path: n, op: exists }] }')).toEqual([
      'w.yaml:3:36 phases[0].gate.artifacts[0]: lower-case letters, digits and _ . - only, such as test_coverage.',
      'w.yaml:3:74 phases[0].gate.criteria[0].artifact: lower-case letters, digits and _ . - only, such as test_coverage.',
    ]));

  test('with patterns that cannot be read when they are needed', async () =>
    expect(
      (
        await checkPhase(
          `gate: { tasksMin: -1, criteria: [{ op: is }, ${lookingAhead}], validators: [{ use: criteria, config: { criteria: [${lookingAhead}] } }] }`,
        )
      )
        .filter((problem) => problem.includes('pattern'))
        .map((problem) => problem.split(';')[0]),
    ).toEqual([
      'w.yaml:3:105 phases[0].gate.criteria[1].value: the pattern (?=x) cannot be used: invalid or unsupported Perl syntax: `(?=`. Patterns are RE2: write it without look-ahead, look-behind and back references, and repeat at most 1000 times',
      'w.yaml:3:212 phases[0].gate.validators[0].config.criteria[0].value: the pattern (?=x) cannot be used: invalid or unsupported Perl syntax: `(?=`. Patterns are RE2: write it without look-ahead, look-behind and back references, and repeat at most 1000 times',
    ]));

  test('with criteria that nobody judges', async () =>
    expect(await checkPhase('gate: { criteria: [{ artifact: a, path: n, op: exists }] }', offer('coverage'))).toEqual([
      'w.yaml:3:34 phases[0].gate.criteria: no enabled plugin offers the validator criteria; they offer coverage',
    ]));
});

describe('a configuration that its validator would not take', () => {
  const gate =
    'gate: { validators: [{ use: coverage, config: { mni: 80, min: { lines: many } } }, { use: coverage, config: { min: {} } }] }';

  test('is found with its field', async () =>
    expect(await checkPhase(gate)).toEqual([
      'w.yaml:3:69 phases[0].gate.validators[0].config.mni: the validator coverage takes no mni; it takes artifact, min',
      'w.yaml:3:87 phases[0].gate.validators[0].config.min.lines: the validator coverage does not take this: must be number',
    ]));

  test('is not looked for where the manifest does not say what it takes, or says what cannot be held against anything', async () => {
    const unreadable = new Map<string, JsonObject>([['coverage', { $ref: '#/nowhere' }]]);

    expect(await checkPhase(gate, { validators: ['coverage'], configs: new Map() })).toEqual([]);
    expect(await checkPhase(gate, { validators: ['coverage'], configs: unreadable })).toEqual([]);
  });
});

test('a schema that is none is found with its type', async () => {
  const [problem] = await check(`${head}  - { name: A }\n${tail}artifactTypes:\n  size: { schema: { type: percent } }\n`);

  expect(problem).toContain('w.yaml:8:19 artifactTypes.size.schema: this is no JSON Schema: schema is invalid');
});

describe('a mistake of shape hides no other mistake', () => {
  test('within a gate', async () =>
    expect(await checkPhase('gate: { tasksMin: -1, validators: [{ use: coverge }] }, onRefused: { regressTo: B }')).toEqual([
      'w.yaml:3:34 phases[0].gate.tasksMin: expected at least 0, and not -1',
      'w.yaml:3:58 phases[0].gate.validators[0].use: no enabled plugin offers the validator coverge; they offer criteria, coverage; did you mean coverage?',
      'w.yaml:3:96 phases[0].onRefused.regressTo: there is no regression edge from A to B',
    ]));

  test('in another phase', async () =>
    expect(
      await check(`${head}  - { name: A, advance: automatically }\n  - { name: C, tasks: [{ type: t, dependsOn: [x] }] }\n${tail}`),
    ).toEqual([
      'w.yaml:3:25 phases[0].advance: expected one of manual, automatic, and not automatically; did you mean automatic?',
      'w.yaml:4:5 phases[1]: no way leads from A to C',
      'w.yaml:4:47 phases[1].tasks[0].dependsOn[0]: C has no task x; none of its tasks has a `ref`',
    ]));

  test('and is not taken for what is missed beside it', async () =>
    expect(await checkPhase('advance: automaticaly, gate: { tasksMin: -1 }, onRefused: { regressTo: B }')).toEqual([
      'w.yaml:3:25 phases[0].advance: expected one of manual, automatic, and not automaticaly; did you mean automatic?',
      'w.yaml:3:57 phases[0].gate.tasksMin: expected at least 0, and not -1',
      'w.yaml:3:87 phases[0].onRefused.regressTo: there is no regression edge from A to B',
    ]));

  test('and tasks that are not understood make none', async () =>
    expect(await checkPhase('tasks: [{ tipe: t, when: refused }], onRefused: {}')).toEqual([
      'w.yaml:3:24 phases[0].tasks[0].type: is missing; expected string',
      'w.yaml:3:26 phases[0].tasks[0].tipe: there is no such field; it has ref, type, title, input, dependsOn, capabilities, locks, priority, maxAttempts, timeoutMs, onDependencyFailure, delayMs, notBy, when; did you mean type?',
    ]));
});

test.each([
  [
    "tasks: [{ type: t, input: '{{ context }}' }]",
    'w.yaml:3:42 phases[0].tasks[0].input: an input is a mapping of names to values, such as `{ topic: … }`',
  ],
  ["tasks: [{ type: t, locks: ['file:a'] }]", 'w.yaml:3:43 phases[0].tasks[0].locks[0]: a lock is written as `{ key: file:src/a.ts }`'],
  [
    "tasks: [{ type: t, input: { x: '{{ foo.x }}' } }]",
    expect.stringContaining('w.yaml:3:47 phases[0].tasks[0].input.x: {{ foo.x }} is no reference') as string,
  ],
  ["gate: { criteria: [{ artifact: a, path: n, op: '=>', value: 1 }] }", expect.stringContaining('exists, and not =>') as string],
])('%s is told with what to write', async (fields, problem) => expect(await checkPhase(fields)).toEqual([problem]));

test('tasks where tickets are over are found with their place', async () =>
  expect(await check(`${head}  - { name: A }\n  - name: B\n    tasks: [{ type: t }]\n${tail.slice(tail.indexOf('edges'))}`)).toEqual([
    'w.yaml:5:12 phases[1].tasks: tickets are over when they enter B, and nothing waits for work there: give the tasks to the phase before',
  ]));

test('a phase named with one letter keeps its name', async () =>
  expect(
    (
      await check(
        `${head}  - { name: A }\n  - { name: B }\nedges:\n  - { from: A, to: B, kind: forward }\n  - { from: B, to: A, kind: forward }\n`,
      )
    )[0],
  ).toBe('w.yaml:3:5 phases[0]: A is a dead end: no way of forward and regression edges leads from it to a final phase'));
