import { beforeEach, expect, test } from 'vitest';
import { z } from 'zod';
import agent from './agent-fixture.ts';
import { answeringClient, newClaim, newId, silentLog } from './client-fixture.ts';
import { defineTask } from './define-task.ts';
import { runTask } from './run-task.ts';

const noted: string[] = [];
beforeEach(() => void noted.splice(0));

const run = (type: string, input = {}, parts: Partial<Parameters<typeof runTask>[0]> = {}) =>
  runTask({
    tasks: agent.tasks,
    claim: newClaim({ type, input }),
    client: answeringClient({}).client,
    signal: new AbortController().signal,
    workspace: undefined,
    log: silentLog,
    note: ({ text }) => void noted.push(text),
    ...parts,
  });

test('a result carries the output and all that the task said', async () => {
  expect(await run('add', { a: 1, b: 2 })).toEqual({
    kind: 'completed',
    output: { sum: 3 },
    summary: 'Added 1 and 2.',
    artifacts: [{ type: 'sum', name: 'default', mediaType: 'application/json', content: 3 }],
  });
  expect(noted).toEqual(['1 + 2 = 3']);
});

test('an unknown type is a permanent failure that lists what the agent has', async () => {
  expect(await run('fly')).toMatchObject({
    kind: 'failed',
    permanent: true,
    error: {
      code: 'task_type_unknown',
      message: expect.stringContaining('no task of type fly; it has add, add-inline'),
      details: { types: expect.arrayContaining(['spin']) },
    },
  });
});

test('input that does not fit is a permanent failure that names the field', async () => {
  expect(await run('add', { a: 1, b: 'two' })).toMatchObject({
    kind: 'failed',
    permanent: true,
    error: {
      code: 'input_invalid',
      message: expect.stringContaining('b: '),
      details: { fields: [{ path: 'b', message: expect.any(String) }] },
    },
  });
});

test('output that does not fit is a permanent failure that names the field', async () => {
  expect(await run('fail', { how: 'misfit' })).toMatchObject({
    permanent: true,
    error: { code: 'output_invalid', details: { fields: [{ path: 'count' }] } },
  });
});

test('an output with a cycle is a permanent failure', async () => {
  const cycle: { self?: unknown } = {};
  cycle.self = cycle;
  const task = defineTask({ type: 'cycle', run: () => cycle });

  expect(await run('cycle', {}, { tasks: [task] })).toMatchObject({ permanent: true, error: { code: 'output_invalid' } });
});

test('an error keeps its message, name, cause and the top of its stack, and may be tried again', async () => {
  expect(await run('fail', { how: 'error' })).toMatchObject({
    permanent: false,
    error: {
      code: 'task_failed',
      message: 'wrong thing',
      details: { name: 'TypeError', cause: 'deeper', stack: expect.arrayContaining([expect.stringContaining('agent-fixture.ts')]) },
    },
  });
});

test.each([
  ['permanent', { permanent: true, error: { code: 'hopeless', message: 'no use', details: { details: { because: 'of that' } } } }],
  ['coded', { permanent: false, error: { code: 'ENOENT', message: 'no such file' } }],
  ['text', { permanent: false, error: { code: 'task_failed', message: 'just text' } }],
])('what is thrown (%s) is kept as data', async (how, outcome) => {
  expect(await run('fail', { how })).toMatchObject(outcome);
});

test('an artifact that does not fit fails the task at once and says why', async () => {
  const task = defineTask({ type: 'misfit', run: (_input, ctx) => ctx.artifact({ type: 'Not A Type', content: 1 }) });

  expect(await run('misfit', {}, { tasks: [task] })).toMatchObject({
    permanent: true,
    error: { code: 'result_invalid', message: expect.stringContaining('type: Lower-case letters') },
  });
});

test('dates become text, as they will arrive', async () => {
  const task = defineTask({ type: 'when', output: z.object({ at: z.date() }), run: () => ({ at: new Date(0) }) });

  expect(await run('when', {}, { tasks: [task] })).toMatchObject({ output: { at: '1970-01-01T00:00:00.000Z' } });
});

test('spawned tasks are children of the attempt, in its phase', async () => {
  const id = newId();
  const { client, calls } = answeringClient({ 'task/submit': () => ({ tasks: [{ id, state: 'ready' }] }) });
  const claim = newClaim({ type: 'spawn', attempt: 2 });
  const task = defineTask({ type: 'spawn', run: (_input, ctx) => ctx.spawn([{ type: 'add' }]) });

  const outcome = await run('spawn', {}, { tasks: [task], client, claim });

  expect(outcome).toMatchObject({ output: [{ id, state: 'ready' }] });
  expect(calls).toEqual([
    {
      method: 'task/submit',
      params: { ticketId: claim.ticketId, phase: 'TESTING', tasks: [{ type: 'add' }], parent: { taskId: claim.taskId, attempt: 2 } },
    },
  ]);
});
