import { existsSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { defineAgent } from './define-agent.ts';
import { defineTask } from './define-task.ts';
import { runAgent } from './run-agent.ts';
import { PermanentTaskError, TaskAbortedError } from './task-errors.ts';

// An agent for tests: each of its tasks behaves in one way.

const add = defineTask({
  type: 'add',
  input: z.object({ a: z.number(), b: z.number() }),
  output: z.object({ sum: z.number() }),
  run({ a, b }, ctx) {
    ctx.summary(`Added ${a} and ${b}.`);
    ctx.artifact({ type: 'sum', content: a + b });
    ctx.note({ kind: 'fact', text: `${a} + ${b} = ${a + b}` });
    ctx.log.info('added');
    return { sum: a + b };
  },
});

const addInline = defineTask({ ...add, type: 'add-inline', inline: true });

/** Stops when told to, and says why. */
const wait = defineTask({
  type: 'wait',
  async run(_input, ctx) {
    ctx.note({ kind: 'fact', text: 'It was begun.' });
    ctx.log.info('waiting');
    await delay(60_000, undefined, { signal: ctx.signal }).catch(() => undefined);
    ctx.log.info(`stopping: ${ctx.signal.reason instanceof TaskAbortedError ? ctx.signal.reason.reason : 'nobody asked'}`);
    ctx.signal.throwIfAborted();
  },
});

const waitInline = defineTask({ ...wait, type: 'wait-inline', inline: true });

/** Hears nothing. */
const spin = defineTask({
  type: 'spin',
  input: z.object({ ms: z.number().default(60_000) }),
  run({ ms }, ctx) {
    ctx.note({ kind: 'fact', text: 'It was begun.' });
    ctx.log.info('spinning');
    const end = performance.now() + ms;
    while (performance.now() < end);
  },
});

/** Hears nothing, and its thread cannot be ended while the program runs that it waits for. */
const block = defineTask({
  type: 'block',
  run(_input, ctx) {
    ctx.note({ kind: 'fact', text: 'It was begun.' });
    ctx.log.info('blocking');
    execFileSync('sleep', ['600']);
  },
});

/** Gives way for a while, and then hears nothing for another, or until a file is there; all of it in the thread that the agent lives in. */
const dozeAndSpin = defineTask({
  type: 'doze-and-spin-inline',
  inline: true,
  input: z.object({ dozeMs: z.number().default(0), spinMs: z.number(), untilFile: z.string().optional() }),
  async run({ dozeMs, spinMs, untilFile }, ctx) {
    ctx.note({ kind: 'fact', text: 'It was begun.' });
    await delay(dozeMs);
    ctx.log.info('spinning');
    const end = performance.now() + spinMs;
    const isOver = () => performance.now() >= end || (untilFile !== undefined && existsSync(untilFile));
    while (!isOver());
  },
});

const fail = defineTask({
  type: 'fail',
  input: z.object({ how: z.enum(['error', 'permanent', 'coded', 'text', 'exit', 'cyclic', 'misfit']) }),
  output: z.object({ count: z.number() }),
  run({ how }, ctx) {
    ctx.note({ kind: 'fact', text: 'It was tried.' });
    switch (how) {
      case 'error':
        throw new TypeError('wrong thing', { cause: new Error('deeper') });
      case 'permanent':
        throw new PermanentTaskError('no use', { code: 'hopeless', details: { because: 'of that' } });
      case 'coded':
        throw Object.assign(new Error('no such file'), { code: 'ENOENT' });
      case 'text':
        throw 'just text'; // oxlint-disable-line typescript/only-throw-error -- Tasks may throw anything.
      case 'exit':
        process.exit(3);
      case 'cyclic': {
        const cycle: { count: number; self?: unknown } = { count: 1 };
        cycle.self = cycle;
        return cycle;
      }
      case 'misfit':
        return { count: 'many' as unknown as number };
    }
  },
});

/** Uses the coordinator through its context. */
const talk = defineTask({
  type: 'talk',
  async run(_input, ctx) {
    ctx.progress(10, 'began');
    await using lock = await ctx.lock('db:dev');
    const spawned = await ctx.spawn([{ type: 'add', input: { a: 1, b: 2 } }]);
    const pack = await ctx.context.pack({ budgetTokens: 500 });
    return { fence: lock.fence, spawned: spawned.length, text: pack.text };
  },
});

/** Tells what was known when it began, and what it learned while it ran. */
const follow = defineTask({
  type: 'follow',
  input: z.object({ says: z.string() }),
  async run({ says }, { context, client, ticketId }) {
    const { asOf, text } = await context.pack();
    await client.context.note({ ticketId, item: { kind: 'fact', text: says } });
    return { before: text, since: (await context.since(asOf)).text };
  },
});

/** Works at the second try. */
const flaky = defineTask({
  type: 'flaky',
  run(_input, ctx) {
    if (ctx.attempt === 1) throw new Error('not yet');
    return { attempt: ctx.attempt };
  },
});

const nap = defineTask({
  type: 'nap',
  input: z.object({ ms: z.number() }),
  async run({ ms }, ctx) {
    await delay(ms, undefined, { signal: ctx.signal });
  },
});

export default defineAgent({
  name: 'fixture',
  capabilities: ['Arithmetic '],
  capacity: 2,
  tasks: [add, addInline, wait, waitInline, spin, block, dozeAndSpin, fail, talk, follow, flaky, nap],
});

if (import.meta.main) await runAgent(import.meta.url);
