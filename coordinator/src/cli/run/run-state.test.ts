import type { EventData, EventName, RecordedEvent, Task } from '@baton/protocol';
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from 'vitest';
import { render } from './live-view.ts';
import { toPlainLine } from './plain-lines.ts';
import { emptyRunState, foldEvent, foldLook } from './run-state.ts';

const begin = Date.parse('2026-01-01T00:00:00.000Z');
const ticketId = '0197f000-0000-7000-8000-000000000001';
const taskId = '0197f000-0000-7000-8000-000000000002';
const agent = { agentId: '0197f000-0000-7000-8000-000000000003', agentName: 'coder' };
const task = { taskId, ticketId, phase: 'IMPLEMENTATION', ref: 'change', title: 'Change index.ts' };

/** Events in the order of a stream, one second apart. */
function stream<const E extends readonly { [N in EventName]: readonly [N, EventData<N>] }[EventName][]>(...events: E): RecordedEvent[] {
  return events.map(
    ([name, data], index) => ({ seq: index + 1, name, ticketId, at: new Date(begin + index * 1_000).toISOString(), data }) as RecordedEvent,
  );
}

const events = stream(
  ['ticket.created', { ticketId, title: 'A change', workflow: 'sample', phase: 'BACKLOG' }],
  ['ticket.transitioned', { ticketId, from: 'BACKLOG', to: 'IMPLEMENTATION', kind: 'forward', visit: 2, by: 'baton' }],
  ['task.submitted', { ticketId, phase: 'IMPLEMENTATION', taskCount: 1 }],
  ['task.deferred', { ...task, key: 'file:index.ts', holders: ['tester'] }],
  ['task.claimed', { ...task, ...agent, attempt: 1, locks: [{ key: 'file:index.ts', mode: 'exclusive', fence: 7 }], lockWaitMs: 1_000 }],
  [
    'task.requeued',
    {
      ...task,
      ...agent,
      attempt: 1,
      outcome: 'failed',
      error: { code: 'task_failed', message: 'The disk was full.\nat x' },
      retryInMs: 850,
    },
  ],
  ['task.claimed', { ...task, ...agent, attempt: 2, locks: [], lockWaitMs: 0 }],
  ['task.completed', { ...task, ...agent, attempt: 2, durationMs: 1_200, summary: 'Changed it.' }],
  [
    'artifact.stored',
    {
      artifactId: taskId,
      ticketId,
      phase: 'IMPLEMENTATION',
      type: 'test_coverage',
      name: 'default',
      version: 1,
      sha256: 'a'.repeat(64),
      author: 'coder',
    },
  ],
  [
    'gate.evaluated',
    {
      ticketId,
      phase: 'IMPLEMENTATION',
      visit: 2,
      outcome: 'failed',
      reasons: [{ code: 'validator_failed', message: 'percentage is 71, expected >= 80' }],
      verdicts: [],
    },
  ],
  [
    'ticket.transitioned',
    { ticketId, from: 'IMPLEMENTATION', to: 'BLOCKED', kind: 'block', visit: 3, by: 'baton', reason: 'The gate refused.' },
  ],
);
const stateAfter = (count: number) =>
  events
    .slice(0, count)
    .reduce(
      foldEvent,
      emptyRunState('A change', { all: ['BACKLOG', 'IMPLEMENTATION', 'DONE', 'BLOCKED'], final: ['DONE'], blocked: 'BLOCKED' }),
    );

test('visits follow the ticket, with their times', () => {
  expect(stateAfter(events.length).visits).toEqual([
    { phase: 'BACKLOG', number: 1, enteredAt: begin, leftAt: begin + 1_000 },
    { phase: 'IMPLEMENTATION', number: 2, enteredAt: begin + 1_000, leftAt: begin + 10_000 },
    { phase: 'BLOCKED', number: 3, enteredAt: begin + 10_000 },
  ]);
});

test('a task waits, runs, is retried and completes', () => {
  const taskAfter = (count: number) => stateAfter(count).tasks[taskId];

  expect(taskAfter(4)).toMatchObject({ state: 'ready', attempt: 0, waitsFor: { key: 'file:index.ts', holders: ['tester'] } });
  expect(taskAfter(5)).toEqual({
    id: taskId,
    title: 'Change index.ts',
    phase: 'IMPLEMENTATION',
    state: 'running',
    attempt: 1,
    agentName: 'coder',
    startedAt: begin + 4_000,
  });
  expect(taskAfter(6)).toMatchObject({ state: 'ready', attempt: 1, error: 'The disk was full.\nat x' });
  expect(taskAfter(8)).toMatchObject({ state: 'completed', attempt: 2 });
  expect(stateAfter(8).retries).toBe(1);
});

test('an event that comes again changes nothing', () => {
  const state = stateAfter(6);

  expect(events.slice(0, 6).reduce(foldEvent, state)).toBe(state);
});

test('a look adds progress and locks, and does not undo what an event has told since', () => {
  const seen = {
    id: taskId,
    title: 'Change index.ts',
    phase: 'IMPLEMENTATION',
    state: 'running',
    attempt: 2,
    agentName: 'coder',
    progress: { percentage: 40 },
  } as Task;
  const look = { tasks: [seen], locks: [], agents: [] };

  expect(foldLook(stateAfter(7), look).tasks[taskId]).toMatchObject({ state: 'running', progress: { percentage: 40 } });
  expect(foldLook(stateAfter(8), look).tasks[taskId]).toMatchObject({ state: 'completed' });
});

test('each event that matters is one line', () => {
  expect(events.map((event) => toPlainLine(event, begin))).toEqual([
    `   0.0s  ticket ${ticketId} «A change» begins in BACKLOG`,
    '   1.0s  BACKLOG → IMPLEMENTATION, visit 2',
    '   2.0s  IMPLEMENTATION: 1 task',
    '   3.0s  … Change index.ts waits for file:index.ts, held by tester',
    '   4.0s  ▶ Change index.ts → coder, holds file:index.ts#7 after 1.0 s of waiting',
    '   5.0s  ↻ Change index.ts: attempt 1 failed, again in 850 ms: The disk was full.',
    '   6.0s  ▶ Change index.ts → coder (attempt 2)',
    '   7.0s  ✓ Change index.ts in 1.2 s: Changed it.',
    '   8.0s  artifact test_coverage default v1 by coder',
    '   9.0s  gate IMPLEMENTATION failed\n           percentage is 71, expected >= 80',
    '  10.0s  IMPLEMENTATION → BLOCKED (block), visit 3: The gate refused.',
  ]);
});

const screen = (count: number, columns: number) =>
  stripVTControlCharacters(render(stateAfter(count), columns, begin + count * 1_000))
    .split('\n')
    .map((line) => line.trimEnd());

test('the live view shows phases, waiting and running tasks, and counts', () => {
  expect(screen(4, 100)).toEqual([
    'A change  4.0 s',
    '',
    ' ✓ BACKLOG             1.0 s',
    ' ▶ IMPLEMENTATION      3.0 s',
    ' · DONE',
    '',
    ' … Change index.ts                           waits for file:index.ts, held by tester',
    '',
    '1 task: 1 ready  0 retries  0 agents',
  ]);
  expect(screen(7, 100)).toContain(' ● Change index.ts                           coder  attempt 2  1.0 s');
});

test('the live view shows what a gate has said, and where the ticket is blocked', () => {
  const lines = screen(events.length, 100);

  expect(lines).toContain(' ✓ IMPLEMENTATION      9.0 s  gate refused');
  expect(lines).toContain(' ✗ BLOCKED             1.0 s');
  expect(lines).toContain(' ✗ gate IMPLEMENTATION failed');
  expect(lines).toContain('     percentage is 71, expected >= 80');
});

describe('an approval', () => {
  const approvalId = '0197f000-0000-7000-8000-000000000004';
  const approval = { approvalId, ticketId, phase: 'IMPLEMENTATION', name: 'release' };
  const asked = stream(
    ['approval.requested', { ...approval, visit: 2, count: 2 }],
    [
      'gate.evaluated',
      {
        ticketId,
        phase: 'IMPLEMENTATION',
        visit: 2,
        outcome: 'failed',
        reasons: [{ code: 'approval_waiting', message: '"release" waits for 2 of operator, admin.' }],
        verdicts: [],
      },
    ],
    ['approval.decided', { ...approval, by: 'ada', decision: 'approve', state: 'waiting' }],
    ['approval.decided', { ...approval, by: 'ben', decision: 'approve', state: 'approved' }],
  );
  const showAfter = (count: number) => {
    const state = asked
      .slice(0, count)
      .reduce(foldEvent, emptyRunState('A change', { all: ['IMPLEMENTATION'], final: [], blocked: undefined }));
    return stripVTControlCharacters(render(state, 140, begin));
  };

  test('is shown with how to give it, and how many have, until it is given', () => {
    expect(showAfter(2)).toContain(` ? IMPLEMENTATION waits for the approval "release" (0 of 2)  baton approve ${approvalId}`);
    expect(showAfter(2)).toContain(' ? gate IMPLEMENTATION waiting');
    expect(showAfter(3)).toContain('(1 of 2)');
    expect(showAfter(4)).not.toContain('baton approve');
  });

  test('is told in lines', () => {
    expect(asked.map((event) => toPlainLine(event, begin))).toEqual([
      `   0.0s  IMPLEMENTATION waits for the approval "release" (2): baton approve ${approvalId}`,
      '   1.0s  gate IMPLEMENTATION waits\n           "release" waits for 2 of operator, admin.',
      '   2.0s  ada approved "release"',
      '   3.0s  ben approved "release"',
    ]);
  });
});

test('no line of the live view is wider than the terminal', () => {
  for (const line of screen(5, 24)) expect(line.length).toBeLessThan(24);
});
