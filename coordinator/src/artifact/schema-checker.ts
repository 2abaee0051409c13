import { once } from 'node:events';
import { extname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { CoordinatorError } from '@baton/protocol';
import type { SchemaAnswer, SchemaQuestion } from './schema-thread.ts';

/** Compiles schemas and patterns that users wrote and holds content against them, in a thread that is ended where one takes too long or too much. */
export interface SchemaChecker {
  /**
   * One after the other, in the order in which they were asked. What a schema or its content is to blame for is an answer; where
   * the machine is too busy to tell, `overloaded` is thrown.
   */
  ask(question: SchemaQuestion): Promise<SchemaAnswer>;
  stop(): Promise<void>;
}

export interface SchemaCheckerLimits {
  /** How much time of a processor one check may use, in ms, however busy the machine is. */
  readonly checkMs: number;
  /** How long one check may take by the clock, in ms. */
  readonly waitMs: number;
  readonly waitingMax: number;
  readonly memoryMb: number;
}

/** A check of what may be stored takes milliseconds; a schema that takes longer multiplies with its content. */
const usualLimits: SchemaCheckerLimits = { checkMs: 2_000, waitMs: 20_000, waitingMax: 1_000, memoryMb: 256 };

interface Thread {
  readonly worker: Worker;
  readonly ready: Promise<unknown>;
}

export function createSchemaChecker(limits: Partial<SchemaCheckerLimits> = {}, now = () => performance.now()): SchemaChecker {
  const { checkMs, waitMs, waitingMax, memoryMb } = { ...usualLimits, ...limits };
  let thread: Thread | undefined;
  let last: Promise<unknown> = Promise.resolve();
  let waiting = 0;

  const start = (): Thread => {
    const url = new URL(`./schema-thread${extname(import.meta.url)}`, import.meta.url);
    const worker = new Worker(url, { resourceLimits: { maxOldGenerationSizeMb: memoryMb } });
    worker.unref();
    // It may run out of memory when nobody waits for it, between two checks: unheard, that would end the coordinator.
    worker.on('error', () => undefined);
    const started = { worker, ready: nextMessage(worker) };
    worker.once('exit', () => {
      if (thread === started) thread = undefined;
    });
    return started;
  };
  const end = async (): Promise<void> => {
    const ending = thread;
    thread = undefined;
    await ending?.worker.terminate();
  };
  const refuse = (cause?: unknown) =>
    new CoordinatorError('overloaded', { retryAfterMs: checkMs, message: 'There was no time for a check against a schema.' }, { cause });

  const askThread = async ({ worker, ready }: Thread, question: SchemaQuestion): Promise<SchemaAnswer | 'slow' | 'busy'> => {
    const answered = new AbortController();
    try {
      await ready;
      const late = watch(worker, { checkMs, waitMs, now }, answered.signal);
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- A thread is no window.
      worker.postMessage(question);
      return await Promise.race([nextMessage(worker) as Promise<SchemaAnswer>, late]);
    } finally {
      answered.abort();
    }
  };
  const askNow = async (question: SchemaQuestion, isFirst = true): Promise<SchemaAnswer> => {
    thread ??= start();
    try {
      const answer = await askThread(thread, question);
      if (typeof answer === 'object') return answer;
      await end();
      if (answer === 'busy') throw refuse();
      return { failed: `it takes longer than ${checkMs} ms of processor time` };
    } catch (error) {
      if (error instanceof CoordinatorError) throw error;
      await end();
      // What has ended the thread may be left from other checks: only one of its own shows what this check needs.
      if (isFirst) return askNow(question, false);
      if (!isOutOfMemory(error)) throw refuse(error);
      return { failed: `it takes more than ${memoryMb} MB of memory` };
    }
  };

  return {
    async ask(question) {
      if (waiting >= waitingMax) throw new CoordinatorError('overloaded', { retryAfterMs: checkMs });
      waiting += 1;
      const asked = last.then(() => askNow(question));
      last = asked.catch(() => undefined);
      try {
        return await asked;
      } finally {
        waiting -= 1;
      }
    },
    async stop() {
      await last;
      await end();
    },
  };
}

/** What the thread says next. Rejects where it ends before. */
async function nextMessage(worker: Worker): Promise<unknown> {
  const ended = new AbortController();
  const onExit = () => ended.abort();
  worker.once('exit', onExit);
  try {
    const [message] = (await once(worker, 'message', { signal: ended.signal })) as [unknown];
    return message;
  } finally {
    worker.off('exit', onExit);
  }
}

/** Often enough to end what is slow soon, and too seldom to slow it down. */
const watchMs = 10;

/** Says what a check was that has used up its time: slow by itself, or kept waiting by a busy machine. */
async function watch(
  worker: Worker,
  { checkMs, waitMs, now }: Pick<SchemaCheckerLimits, 'checkMs' | 'waitMs'> & { readonly now: () => number },
  signal: AbortSignal,
): Promise<'slow' | 'busy'> {
  const endsAt = now() + waitMs;
  const before = await worker.cpuUsage();
  let leftMs = checkMs;
  while (leftMs > 0) {
    const waitLeftMs = endsAt - now();
    if (waitLeftMs <= 0) return 'busy';
    await delay(Math.min(Math.max(leftMs, watchMs), waitLeftMs), undefined, { signal });
    const { user, system } = await worker.cpuUsage(before);
    leftMs = checkMs - (user + system) / 1_000;
  }
  return 'slow';
}

const isOutOfMemory = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY';
