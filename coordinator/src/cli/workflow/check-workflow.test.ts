import { describe, expect, test } from 'vitest';
import { formatProblem, readYamlDocument } from '../yaml/yaml-document.ts';
import { checkWorkflow } from './check-workflow.ts';

const head = 'name: article\nphases:\n';
const tail = '  - { name: B }\nedges:\n  - { from: A, to: B, kind: forward }\n';

const check = (text: string): string[] =>
  checkWorkflow(readYamlDocument(text, 'w.yaml'), ['criteria', 'coverage']).problems.map((problem) => formatProblem('w.yaml', problem));
const checkPhase = (fields: string): string[] => check(`${head}  - { name: A, ${fields} }\n${tail}`);

test('a workflow without mistakes is understood', () => {
  const { workflow } = checkWorkflow(readYamlDocument(`${head}  - { name: A }\n${tail}`, 'w.yaml'), []);

  expect(workflow?.phases.map(({ name }) => name)).toEqual(['A', 'B']);
});

describe('a mistake of shape hides no other mistake', () => {
  test('within a gate', () =>
    expect(checkPhase('gate: { tasksMin: -1, validators: [{ use: coverge }] }, onRefused: { regressTo: B }')).toEqual([
      'w.yaml:3:34 phases[0].gate.tasksMin: expected at least 0, and not -1',
      'w.yaml:3:58 phases[0].gate.validators[0].use: no enabled plugin offers the validator coverge; they offer criteria, coverage; did you mean coverage?',
      'w.yaml:3:96 phases[0].onRefused.regressTo: there is no regression edge from A to B',
    ]));

  test('in another phase', () =>
    expect(check(`${head}  - { name: A, advance: automatically }\n  - { name: C, tasks: [{ type: t, dependsOn: [x] }] }\n${tail}`)).toEqual(
      [
        'w.yaml:3:25 phases[0].advance: expected one of manual, automatic, and not automatically; did you mean automatic?',
        'w.yaml:4:5 phases[1]: no way leads from A to C',
        'w.yaml:4:47 phases[1].tasks[0].dependsOn[0]: C has no task x; none of its tasks has a `ref`',
      ],
    ));

  test('and tasks that are not understood make none', () =>
    expect(checkPhase('tasks: [{ tipe: t, when: refused }], onRefused: {}')).toEqual([
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
])('%s is told with what to write', (fields, problem) => expect(checkPhase(fields)).toEqual([problem]));

test('a phase named with one letter keeps its name', () =>
  expect(
    check(
      `${head}  - { name: A }\n  - { name: B }\nedges:\n  - { from: A, to: B, kind: forward }\n  - { from: B, to: A, kind: forward }\n`,
    )[0],
  ).toBe('w.yaml:3:5 phases[0]: A is a dead end: no way of forward and regression edges leads from it to a final phase'));
