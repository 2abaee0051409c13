import { type Approval, gateDefinition, type Verdict } from '@baton/protocol';
import { describe, expect, test } from 'vitest';
import { type Evidence, findMissing, gateState, reasonsOf, toSentence, validatorsOf } from './gate-rules.ts';

const gate = (definition: object = {}) => gateDefinition.parse(definition);
const task = (state: string, title = state) => ({ id: title, ref: null, title, state, error: null }) as Evidence['tasks'][number];
const evidence = (tasks: Evidence['tasks'], ...types: string[]) => ({
  tasks,
  artifacts: types.map((type) => ({ type })),
  approvals: [],
  authors: new Map<string, never>(),
  strangers: new Set<string>(),
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

  test.each([
    ['running', 'task_open'],
    ['failed', 'task_failed'],
  ])('of many tasks that are %s a hundred are named, and the rest is counted with where it is listed', (state, code) => {
    const many = Array.from({ length: 5_000 }, (_, n) => task(state, `Task ${n}`));

    const missing = findMissing(gate({ artifacts: ['doc'], tasksMin: 0 }), evidence(many));

    expect(missing).toHaveLength(102);
    expect(missing[100]).toMatchObject({ code, taskId: 'Task 99' });
    expect(missing[101]).toMatchObject({ code, more: 4_900, message: expect.stringMatching(/^4900 more .* task\/list/) as string });
    expect(toSentence(missing)).toMatch(/^There is no artifact doc in this visit; .*«Task 8»[^«]*; and 4991 more$/);
  });

  test('while tasks are open it is not said that there are too few', () => {
    expect(codes(findMissing(gate(), evidence([task('ready')])))).toEqual(['task_open']);
  });

  test('what a validator skips or fails for want of an artifact that is missing is not said twice, and all else is', () => {
    const skipped = (message: string) => ({ code: 'validator_skipped', validator: 'v', message }) as const;
    const failed = {
      code: 'validator_failed',
      findingCode: 'artifact_missing',
      validator: 'v',
      message: 'There is no artifact doc.',
    } as const;
    const told = [skipped('There are no tests.'), skipped('The bucket of doc cannot be looked at, since no region is set.')];
    const held = [skipped('There is no artifact doc.'), skipped('There is no doc'), ...told, failed];

    const [missing, ...rest] = findMissing(gate({ artifacts: ['doc'], tasksMin: 0 }), evidence([]), held);
    expect(missing).toMatchObject({ code: 'artifact_missing', artifactType: 'doc' });
    expect(rest).toEqual(told);
    expect(findMissing(gate({ tasksMin: 0 }), evidence([]), held)).toEqual(held);
  });

  test('what a validator says of another artifact is not taken for what is said of a missing one', () => {
    const said = { code: 'validator_skipped', validator: 'v', message: 'There is no artifact code_changes.' } as const;

    const missing = findMissing(gate({ artifacts: ['code'], tasksMin: 0 }), evidence([]), [said]);

    expect(codes(missing)).toEqual(['artifact_missing', 'validator_skipped']);
  });

  test('where a refusal has cancelled the others, it is not said that they will be asked for', () => {
    const definition = { tasksMin: 0, approvals: [{ name: 'legal' }, { name: 'release' }] };
    const refused = { id: 'a', state: 'refused', rule: { name: 'legal' }, decisions: [] } as unknown as Approval;
    const reasonsWhen = (onApprovalRefused: string, ...types: string[]) =>
      findMissing(gate({ ...definition, artifacts: ['doc'], onApprovalRefused }), { ...evidence([], ...types), approvals: [refused] });

    const [, beside] = reasonsWhen('cancel_others', 'doc');
    const [, , besideMore] = reasonsWhen('cancel_others');
    const [, kept] = reasonsWhen('keep_others', 'doc');

    expect(beside).toEqual({
      code: 'approval_refused',
      approval: { name: 'release', given: 0, needed: 1 },
      message:
        '"release" waits for 1 approval of the role operator or admin, which nobody is asked for since "legal" was refused: gate/validate with renew asks for both anew.',
    });
    expect(besideMore).toEqual(beside);
    expect(kept?.code).toBe('approval_waiting');
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

  const wanting = gate({ artifacts: ['doc'], tasksMin: 0, criteria: [...criteria, { ...criteria[1], op: '<' }] });

  expect(validatorsOf(wanting, evidence([]))).toEqual([]);
  expect(validatorsOf(wanting, evidence([], 'doc'))).toMatchObject([{ use: 'criteria', config: { criteria: [criteria[0]] } }]);
  expect(findMissing(wanting, evidence([])).map(({ artifactType }) => artifactType)).toEqual(['doc', 'extra']);
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

  test('why one was skipped is told, and not what it found on the way', () => {
    const findings = [
      { severity: 'warn', code: 'odd', message: 'Something is odd.' },
      { severity: 'info', code: 'skipped', message: 'There is no build.' },
    ] as const;

    expect(reasonsOf(verdict('skipped', { findings: [...findings] }), { onError: 'block' })).toMatchObject([
      { message: 'There is no build.' },
    ]);
  });

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
