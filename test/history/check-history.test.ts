import { describe, expect, test } from 'vitest';
import { checkHistory, describeFindings } from './check-history.ts';
import type { FinalEvent, FinalState, FinalTask } from './final-state.ts';
import type { Operation } from './history.ts';

const nothing: FinalState = { tasks: [], attempts: [], events: [] };
let count = 0;

/** A call that was accepted between two moments. */
const call = (method: string, [invokedAt, endedAt]: readonly [number, number], rest: Partial<Operation> = {}): Operation => ({
  id: `op-${(count += 1)}`,
  client: 'c',
  session: 's1',
  method,
  params: {},
  outcome: 'ok',
  invokedAt,
  endedAt,
  ...rest,
});

const claim = (times: readonly [number, number], attempt: number, rest: Partial<Operation> = {}) =>
  call('task/claim', times, { result: { claims: [{ taskId: 't', attempt, timeoutMs: 1_000, locks: [] }] }, ...rest });
const beat = (at: number, session = 's1') => call('agent/heartbeat', [at, at + 1], { session });
const complete = (times: readonly [number, number], attempt: number, rest: Partial<Operation> = {}) =>
  call('task/complete', times, { params: { taskId: 't', attempt, output: { author: 'a' } }, ...rest });
const acquire = (times: readonly [number, number], fence: number, { session = 's1', mode = 'exclusive', ttlMs = 1_000 } = {}) =>
  call('lock/acquire', times, { session, params: { ttlMs }, result: { locks: [{ key: 'db:a', mode, fence }] } });
const release = (times: readonly [number, number], session = 's1', rest: Partial<Operation> = {}) =>
  call('lock/release', times, { session, params: { keys: ['db:a'] }, result: { released: 1 }, ...rest });
const check = (times: readonly [number, number], fence: number, valid: boolean) =>
  call('lock/check', times, { params: { key: 'db:a', fence }, result: { valid } });

const task = (rest: Partial<FinalTask> = {}): FinalTask => ({
  id: 't',
  mark: null,
  state: 'completed',
  author: 'a',
  dependsOn: [],
  pending: 0,
  ...rest,
});
const events = (...told: readonly (readonly [name: string, taskId: string, attempt?: number])[]): FinalEvent[] =>
  told.map(([name, taskId, attempt], index) => ({ seq: index + 1, name, taskId, attempt: attempt ?? null }));
const completed: FinalState = {
  tasks: [task()],
  attempts: [{ taskId: 't', number: 1, sessionId: 's1', outcome: 'completed' }],
  events: [],
};

const rulesBroken = (operations: readonly Operation[], final: FinalState = nothing) =>
  checkHistory({ operations, final }).map(({ rule }) => rule);

describe('a sound history has nothing against it:', () => {
  const sound: Record<string, readonly [readonly Operation[], FinalState?]> = {
    'a completion that is sent twice': [[claim([0, 1], 1), complete([2, 3], 1), complete([4, 5], 1)], completed],
    'a second attempt after the first was failed': [
      [
        claim([0, 1], 1),
        beat(2),
        call('task/fail', [3, 4], { params: { taskId: 't', attempt: 1 } }),
        beat(8),
        claim([5, 6], 2, { session: 's2' }),
        beat(9, 's2'),
      ],
    ],
    'a second attempt while nobody knows whether the first one has ended': [
      [
        claim([0, 1], 1),
        call('task/fail', [2, 3], { params: { taskId: 't', attempt: 1 }, outcome: 'unknown' }),
        claim([4, 5], 2, { session: 's2' }),
        beat(9),
        beat(9, 's2'),
      ],
    ],
    'a second attempt after the time of the first': [
      [claim([0, 1], 1), claim([1_001, 1_002], 2, { session: 's2' }), beat(2_000), beat(2_000, 's2')],
    ],
    'a second attempt after a session that was not heard of again': [
      [claim([0, 1], 1), claim([2, 3], 2, { session: 's2' }), beat(9, 's2')],
    ],
    'two who share a key': [
      [acquire([0, 1], 1, { mode: 'shared' }), acquire([2, 3], 2, { mode: 'shared', session: 's2' }), beat(9), beat(9, 's2')],
    ],
    'a lock that was given back and taken': [
      [acquire([0, 1], 1), release([2, 3]), acquire([2, 4], 2, { session: 's2' }), beat(9), beat(9, 's2')],
    ],
    'a lock that is taken after its time': [
      [acquire([0, 1], 1, { ttlMs: 100 }), acquire([101, 102], 2, { session: 's2' }), beat(900), beat(900, 's2')],
    ],
    'a lock that may have been given back long after the call was cut': [
      [release([0, 1], 's1', { outcome: 'unknown' }), acquire([2, 3], 1), acquire([4, 5], 2, { session: 's2' }), beat(9), beat(9, 's2')],
    ],
    'a holder who asks again and keeps his fence': [[acquire([0, 1], 1), acquire([2, 3], 1), beat(9)]],
    'a fence that is refused when another has been granted': [
      [acquire([0, 1], 1), release([2, 3]), acquire([4, 5], 2, { session: 's2' }), check([6, 7], 1, false)],
    ],
    'a submission of which nobody knows whether it was accepted': [[call('task/submit', [0, 1], { outcome: 'unknown' })]],
    'a task that was retried after its cancellation': [
      [],
      {
        ...completed,
        events: events(
          ['task.claimed', 't', 1],
          ['task.cancelled', 't'],
          ['task.reopened', 't'],
          ['task.claimed', 't', 2],
          ['task.completed', 't', 2],
        ),
      },
    ],
  };

  test.each(Object.entries(sound))('%s', (_title, [operations, final]) => {
    expect(checkHistory({ operations, final: final ?? nothing })).toEqual([]);
  });
});

describe('a broken promise is found:', () => {
  const broken: Record<string, readonly [rule: string, operations: readonly Operation[], final?: FinalState]> = {
    'two sessions completed one task': ['double completion', [complete([0, 1], 1), complete([2, 3], 2, { session: 's2' })], completed],
    'the result is not that of the completion which was accepted': [
      'double completion',
      [complete([0, 1], 1)],
      { ...completed, tasks: [task({ author: 'b' })] },
    ],
    'a task was completed twice in the events': [
      'double completion',
      [],
      { ...completed, events: events(['task.claimed', 't', 1], ['task.completed', 't', 1], ['task.completed', 't', 1]) },
    ],
    'an accepted completion is not kept': ['lost task', [complete([0, 1], 1)], { ...completed, tasks: [task({ state: 'failed' })] }],
    'an accepted completion is not kept with its attempt': [
      'lost task',
      [complete([0, 1], 1)],
      { ...completed, attempts: [{ taskId: 't', number: 1, sessionId: 's1', outcome: 'lost' }] },
    ],
    'an accepted task is not there': ['lost task', [call('task/submit', [0, 1], { result: { tasks: [{ id: 'gone' }] } })]],
    'one submission made two tasks': ['double submission', [], { ...nothing, tasks: [task({ mark: 'm' }), task({ id: 'u', mark: 'm' })] }],
    'one key was answered in two ways': [
      'double submission',
      ['t', 'u'].map((id) => call('task/submit', [0, 1], { params: { idempotencyKey: 'k' }, result: { tasks: [{ id }] } })),
      { ...nothing, tasks: [task(), task({ id: 'u' })] },
    ],
    'an attempt was given to two sessions': ['unexplained execution', [claim([0, 1], 1), claim([2, 3], 1, { session: 's2' })]],
    'an attempt was given out while another ran': [
      'unexplained execution',
      [claim([0, 1], 1), claim([2, 3], 2, { session: 's2' }), beat(9), beat(9, 's2')],
    ],
    'an attempt began in the events before the one before it had ended': [
      'unexplained execution',
      [],
      { ...completed, events: events(['task.claimed', 't', 1], ['task.claimed', 't', 2]) },
    ],
    'an attempt began after the task was completed': [
      'unexplained execution',
      [],
      { ...completed, events: events(['task.claimed', 't', 1], ['task.completed', 't', 1], ['task.claimed', 't', 2]) },
    ],
    'two held a key alone at once': [
      'overlapping holders',
      [acquire([0, 1], 1), acquire([2, 3], 2, { session: 's2' }), beat(9), beat(9, 's2')],
    ],
    'one held a key alone while another shared it': [
      'overlapping holders',
      [acquire([0, 1], 1), acquire([2, 3], 2, { session: 's2', mode: 'shared' }), beat(9), beat(9, 's2')],
    ],
    'the lock that came with a claim was held by another': [
      'overlapping holders',
      [
        claim([0, 1], 1, {
          result: { claims: [{ taskId: 't', attempt: 1, timeoutMs: 1_000, locks: [{ key: 'db:a', mode: 'exclusive', fence: 1 }] }] },
        }),
        acquire([2, 3], 2, { session: 's2' }),
        beat(9),
        beat(9, 's2'),
      ],
    ],
    'a fence went back': ['fence not risen', [acquire([0, 1], 2), release([2, 3]), acquire([4, 5], 1, { session: 's2' })]],
    'a fence was granted twice': ['fence not risen', [acquire([0, 4], 1), release([5, 6]), acquire([1, 9], 1, { session: 's2' })]],
    'an old fence was let in after a newer had been granted': [
      'stale fence accepted',
      [acquire([0, 1], 1), release([2, 3]), acquire([4, 5], 2, { session: 's2' }), check([6, 7], 1, true)],
    ],
    'a completion was accepted after the cancellation': [
      'cancellation undone',
      [claim([0, 1], 1), call('task/cancel', [2, 3], { params: { taskId: 't' } }), complete([4, 5], 1)],
      completed,
    ],
    'a cancelled task was completed in the events': [
      'cancellation undone',
      [],
      { ...completed, events: events(['task.claimed', 't', 1], ['task.cancelled', 't'], ['task.completed', 't', 1]) },
    ],
    'a task began before the one that it depends on was completed': [
      'begun too early',
      [],
      {
        ...nothing,
        tasks: [task({ dependsOn: ['p'] }), task({ id: 'p' })],
        events: events(['task.claimed', 'p', 1], ['task.claimed', 't', 1]),
      },
    ],
    'a task waits for ever': ['never ended', [], { ...nothing, tasks: [task({ state: 'blocked', pending: 1 })] }],
    'a number is missing in the events': [
      'gap in the events',
      [],
      { ...nothing, events: [{ seq: 2, name: 'agent.lost', taskId: null, attempt: null }] },
    ],
  };

  test.each(Object.entries(broken))('%s', (_title, [rule, operations, final]) => {
    expect(rulesBroken(operations, final)).toContain(rule);
  });
});

test('what is found names the calls that show it', () => {
  const [first, second] = [acquire([0, 1], 1), acquire([2, 3], 2, { session: 's2' })];

  const text = describeFindings(checkHistory({ operations: [first, second, beat(9), beat(9, 's2')], final: nothing }));

  expect(text).toContain('overlapping holders: db:a was held under the fences 1 and 2 at once.');
  expect(text).toContain(`${first.id} c (s1) 0.000–1.000 lock/acquire`);
  expect(text).toContain(`${second.id} c (s2) 2.000–3.000 lock/acquire`);
});
