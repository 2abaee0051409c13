import { join } from 'node:path';
import type { Job, ToParent, ToWorker } from '../harness/job.ts';

// The program of a worker: runs the jobs that its parent names, and ends with the channel to it.

interface Running {
  readonly stopped: AbortController;
  /** Orders that came before the job asked for them. */
  readonly orders: unknown[];
  give: ((order: unknown) => void) | undefined;
}

const jobs = new Map<number, Running>();
const send = (message: ToParent) => void process.send?.(message);

async function run(job: number, name: string, params: unknown): Promise<void> {
  const running: Running = { stopped: new AbortController(), orders: [], give: undefined };
  jobs.set(job, running);
  const { signal } = running.stopped;
  try {
    const { default: work } = (await import(join(import.meta.dirname, `${name}.ts`))) as { default: Job<unknown, unknown, unknown> };
    await work(params, { begin: () => begin(job, running), tell: (told) => send({ kind: 'told', job, told }), signal });
    send({ kind: 'ended', job });
  } catch (error) {
    const problem = error instanceof Error ? (error.stack ?? error.message) : String(error);
    send({ kind: 'ended', job, ...(!signal.aborted && { problem }) });
  } finally {
    jobs.delete(job);
  }
}

function begin(job: number, running: Running): Promise<unknown> {
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  const { signal } = running.stopped;
  const leave = () => reject(new Error('The job is told to stop.'));
  running.give = (order) => {
    running.give = undefined;
    signal.removeEventListener('abort', leave);
    resolve(order);
  };
  signal.addEventListener('abort', leave, { once: true });
  if (signal.aborted) leave();
  send({ kind: 'ready', job });
  if (running.orders.length > 0) running.give(running.orders.shift());
  return promise;
}

process.on('message', (message: ToWorker) => {
  const running = jobs.get(message.job);
  if (message.kind === 'start') void run(message.job, message.name, message.params);
  else if (running === undefined) return;
  else if (message.kind === 'stop') running.stopped.abort();
  else if (running.give === undefined) running.orders.push(message.order);
  else running.give(message.order);
});
process.once('disconnect', () => process.exit());
