import { once } from 'node:events';
import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { CoordinatorError } from '@baton/protocol';
import type { SchemaAnswer, SchemaQuestion } from './schema-thread.ts';

/** Holds content against schemas that users wrote, in a thread that is ended where one takes too long or too much. */
export interface SchemaChecker {
  /** One after the other, in the order in which they were asked. */
  ask(question: SchemaQuestion): Promise<SchemaAnswer>;
  stop(): Promise<void>;
}

export interface SchemaCheckerLimits {
  /** How long one check may take, in ms. */
  readonly checkMs: number;
  readonly waitingMax: number;
}

/** A check of what may be stored takes milliseconds; a schema that takes longer multiplies with its content. */
const usualLimits: SchemaCheckerLimits = { checkMs: 2_000, waitingMax: 1_000 };

const resourceLimits = { maxOldGenerationSizeMb: 256 };

export function createSchemaChecker({ checkMs, waitingMax }: SchemaCheckerLimits = usualLimits): SchemaChecker {
  let thread: Promise<Worker> | undefined;
  let last: Promise<unknown> = Promise.resolve();
  let waiting = 0;

  const start = async (): Promise<Worker> => {
    const worker = new Worker(new URL(`./schema-thread${extname(import.meta.url)}`, import.meta.url), { resourceLimits });
    worker.unref();
    await once(worker, 'message');
    return worker;
  };
  const end = async (): Promise<void> => {
    const ending = thread;
    thread = undefined;
    await (await ending?.catch(() => undefined))?.terminate();
  };

  const askNow = async (question: SchemaQuestion): Promise<SchemaAnswer> => {
    thread ??= start();
    try {
      const worker = await thread;
      const answered = once(worker, 'message', { signal: AbortSignal.timeout(checkMs) });
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- A thread is no window.
      worker.postMessage(question);
      const [answer] = (await answered) as [SchemaAnswer];
      return answer;
    } catch (error) {
      await end();
      const isLate = error instanceof Error && error.name === 'AbortError';
      return { failed: isLate ? `it takes longer than ${checkMs} ms` : error instanceof Error ? error.message : String(error) };
    }
  };

  return {
    async ask(question) {
      if (waiting >= waitingMax) throw new CoordinatorError('overloaded', { retryAfterMs: checkMs });
      waiting += 1;
      const asked = last.then(() => askNow(question));
      last = asked;
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
