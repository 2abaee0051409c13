import { extname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { MessageChannel } from 'node:worker_threads';
import { Piscina } from 'piscina';
import type { HostSettings } from './isolation.ts';
import type { EndReason, HostAnswer, HostReply, HostRequest, RunRequest } from './job.ts';
import type { ThreadTask } from './plugin-thread.ts';

/**
 * The plugin process: a pool of threads that run foreign code, between them and the coordinator nothing but text.
 * What a thread does to this process, the coordinator survives.
 */
function serveJobs(settings: HostSettings): void {
  const { verdictBytesMax, graceMs, residentMbMax } = settings;
  const pools = new Map(Object.entries(settings.threadArgv).map(([plugin, execArgv]) => [plugin, createPool(settings, execArgv)]));
  watchMemory(residentMbMax);

  const kept = new Map<number, string>();
  const running = new Map<number, { end(reason: EndReason): void; done: Promise<void> }>();

  async function runJob({ id, plugin, job, evidence: number, timeoutMs }: RunRequest): Promise<HostAnswer> {
    const pool = pools.get(plugin);
    if (pool === undefined) return { kind: 'died', reason: `the plugin process knows no plugin ${plugin}.` };
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
      const evidence = number === undefined ? undefined : kept.get(number);
      const task = { job, evidence, bytesMax: verdictBytesMax, port: port2 };
      const text = await pool.run(task, { transferList: [port2], signal: terminating.signal });
      // An answer that came after the end of its time is no answer.
      if (ended !== undefined) return { kind: ended };
      if (typeof text !== 'string' || Buffer.byteLength(text) > verdictBytesMax) return { kind: 'too_large' };
      return { kind: 'answered', text };
    } catch (error) {
      return ended === undefined
        ? { kind: 'died', reason: error instanceof Error ? error.message : String(error) }
        : { kind: ended, forced: terminating.signal.aborted };
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
    else if (request.kind === 'keep') kept.set(request.evidence, request.text);
    else if (request.kind === 'drop') kept.delete(request.evidence);
    else void runJob(request).then((answer) => reply({ id: request.id, answer }));
  });
  // The coordinator is gone, however it went: nobody is left to answer to.
  process.once('disconnect', () => void stop());
  process.once('SIGTERM', () => void stop());
  // Ctrl-C reaches every process of the terminal. The coordinator takes it, and ends this process when it is done with it.
  process.on('SIGINT', () => {});
}

/** A pool for one plugin: what its code leaves behind in a thread meets no other plugin. */
function createPool(
  { threadsMax, resourceLimits, hasEnvironment }: HostSettings,
  execArgv: readonly string[],
): Piscina<ThreadTask, unknown> {
  const pool = new Piscina<ThreadTask, unknown>({
    filename: fileURLToPath(new URL(`./plugin-thread${extname(import.meta.url)}`, import.meta.url)),
    minThreads: 0,
    maxThreads: threadsMax,
    idleTimeout: 30_000,
    // More than one at a time, and ending one would not stop its code.
    concurrentTasksPerWorker: 1,
    // Otherwise timers that a job left behind would stand still and go off in the middle of the next.
    atomics: 'disabled',
    resourceLimits,
    execArgv: [...execArgv],
    // What started this process may have added to its environment, which is to be empty where programs are not run.
    ...(hasEnvironment ? {} : { env: {} }),
  });
  // A thread that dies between two jobs has cost none of them anything.
  pool.on('error', (error) => process.stderr.write(`A plugin thread ended between two jobs: ${String(error)}\n`));
  return pool;
}

const memoryLookMs = 50;

/** Ends the process before it takes the machine's memory: Buffers are in no heap, and nothing else counts them. */
function watchMemory(residentMbMax: number): void {
  setInterval(() => {
    if (process.memoryUsage.rss() <= residentMbMax * 1024 * 1024) return;
    process.stderr.write(`The plugin process takes more than ${residentMbMax} MiB and ends.\n`);
    process.kill(process.pid, 'SIGKILL');
  }, memoryLookMs).unref();
}

function reply(message: HostReply): void {
  // Nobody to tell it to is dealt with by 'disconnect'.
  if (process.connected) process.send?.(message, undefined, undefined, () => {});
}

serveJobs(JSON.parse(process.argv[2] ?? '{}'));
