import { gateDefinition, type Verdict } from '@baton/protocol';
import { describe, expect, test } from 'vitest';
import { type Evidence, findMissing, gateState, reasonsOf, validatorsOf } from './gate-rules.ts';

const gate = (definition: object = {}) => gateDefinition.parse(definition);
const task = (state: string, title = state) => ({ id: title, ref: null, title, state, error: null }) as Evidence['tasks'][number];
const evidence = (tasks: Evidence['tasks'], ...types: string[]) => ({
  tasks,
  artifacts: types.map((type) => ({ type })),
  approvals: [],
});
const codes = (reasons: readonly { code: string }[]) => reasons.map(({ code }) => code);

describe('what a gate lacks', () => {
  test('all of it is said at once', () => {
    const missing = findMissing(gate({ artifacts: ['doc', 'plan'] }), evidence([task('running'), task('failed')]));

    expect(codes(missing)).toEqual(['artifact_missing', 'artifact_missing', 'task_open', 'task_failed']);
  });

  test('cancelled and skipped tasks do not hold it, and do not count as done', () => {
    expect(codes(findMissing(gate(), evidence([task('cancelled'), task('skipped')])))).toEqual(['tasks_too_few']);
    expect(findMissing(gate(), evidence([task('cancelled'), task('completed')]))).toEqual([]);
  });

  test('while tasks are open it is not said that there are too few', () => {
    expect(codes(findMissing(gate(), evidence([task('ready')])))).toEqual(['task_open']);
  });

  test('what a validator skips for want of an artifact that is missing is not said twice, and any other skip is', () => {
    const skipped = (message: string) => ({ code: 'validator_skipped', validator: 'v', message }) as const;
    const held = [skipped('There is no artifact doc.'), skipped('There are no tests.')];

    expect(codes(findMissing(gate({ artifacts: ['doc'], tasksMin: 0 }), evidence([]), held))).toEqual([
      'artifact_missing',
      'validator_skipped',
    ]);
    expect(codes(findMissing(gate({ tasksMin: 0 }), evidence([]), held))).toEqual(['validator_skipped', 'validator_skipped']);
  });

  test('approvals are among it, and it says that they are asked for last', () => {
    const approved = gate({ artifacts: ['doc'], tasksMin: 0, approvals: [{ name: 'release' }] });

    const [, later] = findMissing(approved, evidence([]));
    const [waiting] = findMissing(approved, evidence([], 'doc'));

    expect(later).toEqual({
      code: 'approval_later',
      approval: { name: 'release', given: 0, needed: 1 },
      message: '"release" waits for 1 approval of the role operator or admin, which is asked for once the rest is there.',
    });
    expect(waiting).toEqual({
      code: 'approval_waiting',
      approval: later!.approval,
      message: '"release" waits for 1 approval of the role operator or admin, which is asked for when the gate is judged.',
    });
  });

  test('its state tells what to wait for', () => {
    const stateOf = (...tasks: string[]) => gateState(gate(), findMissing(gate(), evidence(tasks.map((state) => task(state)))));

    expect([gateState(undefined, []), stateOf('completed'), stateOf('ready'), stateOf('failed'), stateOf('ready', 'failed')]).toEqual([
      'not_configured',
      'ready',
      'waiting_tasks',
      'blocked',
      'blocked',
    ]);
  });
});

test('criteria on an artifact that is missing are not judged, since that has been said', () => {
  const criteria = [
    { artifact: 'doc', path: 'length', op: '>', value: 1 },
    { artifact: 'extra', path: 'length', op: '>', value: 1 },
  ];

  const [validator] = validatorsOf(gate({ artifacts: ['doc'], criteria }), evidence([]));

  expect(validator).toMatchObject({ use: 'criteria', config: { criteria: [criteria[1]] } });
});

describe('verdicts', () => {
  const verdict = (outcome: Verdict['outcome'], more: Partial<Verdict> = {}): Verdict => ({
    validator: 'v',
    requirement: 'required',
    outcome,
    findings: [],
    durationMs: 1,
    ...more,
  });

  test.each([
    ['pass', []],
    ['fail', ['validator_failed']],
    ['error', ['validator_error']],
    ['timeout', ['validator_timeout']],
    ['skipped', ['validator_skipped']],
  ] as const)('a required validator that says %s', (outcome, reasons) =>
    expect(codes(reasonsOf(verdict(outcome), { onError: 'block' }))).toEqual(reasons),
  );

  test('an advisory one holds nothing', () =>
    expect(reasonsOf(verdict('fail', { requirement: 'advisory' }), { onError: 'block' })).toEqual([]));
  test('where errors are to be ignored, refusals and skips are not', () => {
    const ignoring = (outcome: Verdict['outcome']) => codes(reasonsOf(verdict(outcome), { onError: 'ignore' }));

    expect([ignoring('error'), ignoring('timeout'), ignoring('fail'), ignoring('skipped')]).toEqual([
      [],
      [],
      ['validator_failed'],
      ['validator_skipped'],
    ]);
  });
});
