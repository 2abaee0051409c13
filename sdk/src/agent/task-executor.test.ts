import type { NewContextItem } from '@baton/protocol';
import { afterEach, beforeEach, expect, test } from 'vitest';
import agent from './agent-fixture.ts';
import { createLog } from './agent-log.ts';
import { answeringClient, newClaim, newId } from './client-fixture.ts';
import type { Executor } from './executor.ts';
import { TaskAbortedError } from './task-errors.ts';
import { createTaskExecutor } from './task-executor.ts';

const moduleUrl = new URL('./agent-fixture.ts', import.meta.url).href;
let executor: Executor | undefined;
afterEach(() => executor?.close());

const open = (client = answeringClient({}).client) => {
  executor = createTaskExecutor({ agent, moduleUrl, capacity: 2, client, workspace: undefined, onThreadError: () => {} });
  return executor;
};
const lines: string[] = [];
const notes: string[] = [];
beforeEach(() => {
  lines.length = 0;
  notes.length = 0;
});
const log = createLog((level, message) => void lines.push(`${level} ${message}`));
const note = ({ text }: NewContextItem) => void notes.push(text);
const control = () => ({ signal: new AbortController().signal, graceMs: 200, log, note });

/** Tells the task to stop as soon as it notes something, which these tasks do when they begin. */
const stopAtNote = (reason: ConstructorParameters<typeof TaskAbortedError>[0], graceMs = 200) => {
  const abort = new AbortController();
  const noteAndStop = (item: NewContextItem) => {
    note(item);
    abort.abort(new TaskAbortedError(reason));
  };
  return { signal: abort.signal, graceMs, log, note: noteAndStop };
};

test.each(['add', 'add-inline'])('%s brings its result, its notes and its log home', async (type) => {
  const outcome = await open().execute(newClaim({ type, input: { a: 2, b: 3 } }), control());

  expect(outcome).toMatchObject({
    kind: 'completed',
    output: { sum: 5 },
    summary: 'Added 2 and 3.',
    artifacts: [{ type: 'sum' }],
  });
  expect(notes).toEqual(['2 + 3 = 5']);
  expect(lines).toEqual(['info added']);
});

test.each(['wait', 'wait-inline'])('%s hears why it must stop', async (type) => {
  const outcome = await open().execute(newClaim({ type }), stopAtNote('phase_closed', 60_000));

  expect(outcome).toMatchObject({
    kind: 'failed',
    permanent: false,
    error: { message: 'The phase of the task is closed.', details: { name: 'TaskAbortedError' } },
  });
});

test('a task that hears nothing is stopped by force after the grace, its notes stay, and the next finds a thread', async () => {
  const executor = open();

  const stopped = await executor.execute(newClaim({ type: 'spin' }), stopAtNote('cancelled'));
  const notesOfStopped = [...notes];
  const next = await executor.execute(newClaim({ type: 'add', input: { a: 1, b: 1 } }), control());

  expect(stopped).toMatchObject({ kind: 'failed', error: { code: 'aborted', message: expect.stringContaining('within 200 ms') } });
  expect(notesOfStopped).toEqual(['It was begun.']);
  expect(next).toMatchObject({ output: { sum: 2 } });
});

test('an inline task that hears nothing is left behind after the grace, and its notes stay', async () => {
  const claim = newClaim({ type: 'doze-and-spin-inline', input: { dozeMs: 1_500, spinMs: 0 } });

  const outcome = await open().execute(claim, stopAtNote('draining'));

  expect(outcome).toMatchObject({ kind: 'failed', error: { code: 'aborted' } });
  expect(notes).toEqual(['It was begun.']);
});

test('a task that ends its thread fails, what it noted stays, and the agent goes on', async () => {
  const executor = open();

  const outcome = await executor.execute(newClaim({ type: 'fail', input: { how: 'exit' } }), control());

  expect(outcome).toMatchObject({
    kind: 'failed',
    permanent: false,
    error: { code: 'thread_failed', message: expect.stringContaining('3') },
  });
  expect(notes).toEqual(['It was tried.']);
  expect(await executor.execute(newClaim({ type: 'add', input: { a: 1, b: 1 } }), control())).toMatchObject({ output: { sum: 2 } });
});

test('a permanent error is permanent on this side of the thread too', async () => {
  expect(await open().execute(newClaim({ type: 'fail', input: { how: 'permanent' } }), control())).toMatchObject({
    permanent: true,
    error: { code: 'hopeless' },
  });
});

test('a thread talks to the coordinator through its agent', async () => {
  const { client, calls } = answeringClient({
    'task/progress': () => ({}),
    'lock/acquire': () => ({ locks: [{ key: 'db:dev', mode: 'exclusive', fence: 7 }], waitedMs: 0 }),
    'task/submit': () => ({ tasks: [{ id: newId(), state: 'ready' }] }),
    'context/get': ({ ticketId }: { ticketId: string }) => ({
      ticketId,
      forPhase: 'TESTING',
      phases: [],
      text: 'known',
      tokens: 1,
      budgetTokens: 500,
      counter: 'x',
      omitted: [],
      asOf: 1,
      digest: '0'.repeat(64),
    }),
    'lock/release': () => ({ released: 1 }),
  });

  const outcome = await open(client).execute(newClaim({ type: 'talk' }), control());

  expect(outcome).toMatchObject({ kind: 'completed', output: { fence: 7, spawned: 1, text: 'known' } });
  expect(calls.map(({ method }) => method)).toEqual(['task/progress', 'lock/acquire', 'task/submit', 'context/get', 'lock/release']);
});

test('a refusal of the coordinator keeps its kind across the thread', async () => {
  const { client } = answeringClient({ 'task/progress': () => ({}) });

  expect(await open(client).execute(newClaim({ type: 'talk' }), control())).toMatchObject({
    kind: 'failed',
    error: { code: 'method_unknown', details: { name: 'CoordinatorError' } },
  });
});
