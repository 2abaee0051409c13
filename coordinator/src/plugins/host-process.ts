import { extname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { MessageChannel } from 'node:worker_threads';
import { Piscina } from 'piscina';
import type { HostSettings } from './isolation.ts';
import type { EndReason, HostAnswer, HostReply, HostRequest } from './job.ts';
import type { ThreadTask } from './plugin-thread.ts';

/**
 * The plugin process: a pool of threads that run foreign code, between them and the coordinator nothing but text.
 * What a thread does to this process, the coordinator survives.
 */
function serveJobs({ threadsMax, verdictBytesMax, graceMs, resourceLimits }: HostSettings): void {
  const pool = new Piscina<ThreadTask, unknown>({
    filename: fileURLToPath(new URL(`./plugin-thread${extname(import.meta.url)}`, import.meta.url)),
    minThreads: 1,
    maxThreads: threadsMax,
    idleTimeout: 30_000,
    // More than one at a time, and ending one would not stop its code.
    concurrentTasksPerWorker: 1,
    // Otherwise timers that a job left behind would stand still and go off in the middle of the next.
    atomics: 'disabled',
    resourceLimits,
    execArgv: process.execArgv,
  });
  // A thread that dies between two jobs has cost none of them anything.
  pool.on('error', (error) => process.stderr.write(`A plugin thread ended between two jobs: ${String(error)}\n`));

  const running = new Map<number, { end(reason: EndReason): void; done: Promise<void> }>();

  async function runJob({ id, job, timeoutMs }: Extract<HostRequest, { kind: 'run' }>): Promise<HostAnswer> {
    const { port1, port2 } = new MessageChannel();
    const terminating = new AbortController();
    let ended: EndReason | undefined;
    let grace: NodeJS.Timeout | undefined;
    const end = (reason: EndReason) => {
      if (ended !== undefined) return;
      ended = reason;
      port1.postMessage(reason);
      grace = setTimeout(() => terminating.abort(), graceMs);
    };
    const timer = setTimeout(end, timeoutMs, 'timed_out');
    const done = Promise.withResolvers<void>();
    running.set(id, { end, done: done.promise });
    try {
      const text = await pool.run({ job, bytesMax: verdictBytesMax, port: port2 }, { transferList: [port2], signal: terminating.signal });
      // An answer that came after the end of its time is no answer.
      if (ended !== undefined) return { kind: ended };
      if (typeof text !== 'string' || Buffer.byteLength(text) > verdictBytesMax) return { kind: 'too_large' };
      return { kind: 'answered', text };
    } catch (error) {
      return ended === undefined ? { kind: 'died', reason: error instanceof Error ? error.message : String(error) } : { kind: ended };
    } finally {
      clearTimeout(timer);
      clearTimeout(grace);
      port1.close();
      running.delete(id);
      done.resolve();
    }
  }

  let stopping = false;
  async function stop(): Promise<void> {
    if (stopping) return;
    stopping = true;
    // Validators that run programs get the time to end them, with no more than `graceMs` for all.
    for (const { end } of running.values()) end('cancelled');
    await Promise.race([Promise.all([...running.values()].map(({ done }) => done)), sleep(graceMs + 100)]);
    process.exit(0);
  }

  process.on('message', (request: HostRequest) => {
    if (request.kind === 'stop') void stop();
    else if (request.kind === 'cancel') running.get(request.id)?.end('cancelled');
    else void runJob(request).then((answer) => reply({ id: request.id, answer }));
  });
  // The coordinator is gone, however it went: nobody is left to answer to.
  process.once('disconnect', () => void stop());
  process.once('SIGTERM', () => void stop());
  // Ctrl-C reaches every process of the terminal. The coordinator takes it, and ends this process when it is done with it.
  process.on('SIGINT', () => {});
}

function reply(message: HostReply): void {
  // Nobody to tell it to is dealt with by 'disconnect'.
  if (process.connected) process.send?.(message, undefined, undefined, () => {});
}

serveJobs(JSON.parse(process.argv[2] ?? '{}'));
