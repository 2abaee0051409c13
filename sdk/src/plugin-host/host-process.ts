import { Socket } from 'node:net';
import { extname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { MessageChannel } from 'node:worker_threads';
import { Piscina } from 'piscina';
import { readFrames, writeFrame } from './frames.ts';
import type { HostReply } from './host-reply.ts';
import type { HostSettings } from './isolation.ts';
import { type EndReason, type HostRequest, reasonCharsMax, type RunRequest } from './job.ts';
import type { ThreadTask } from './plugin-thread.ts';
import { toText } from './text.ts';

/** The descriptor that the coordinator reads and writes at its other end. */
const channelFd = 3;

/**
 * The process of a plugin: a pool of threads that run its code, between them and the coordinator nothing but text.
 * What a thread does to this process, the coordinator survives.
 */
function serveJobs(settings: HostSettings): void {
  const { verdictBytesMax, startMs, graceMs, residentMbMax } = settings;
  const pool = createPool(settings);
  let keptBytesMax = 0;
  watchMemory(() => residentMbMax * 1024 * 1024 + evidenceCopies * keptBytesMax);
  const channel = new Socket({ fd: channelFd });
  // Nobody to tell it to is dealt with where the channel is read.
  channel.on('error', () => {});

  pool.on('error', (error) => {
    // A thread that dies between two jobs has cost none of them anything.
    if (pool.queueSize === 0 || pool.threads.length > 0) return;
    // Those that could not even begin would wait for a thread until their time is over: the pool starts no other.
    for (const id of running.keys())
      writeFrame(channel, { kind: 'died', id, reason: toText(`it could not begin: ${error.message}`, reasonCharsMax) });
    channel.end(() => process.exit(1));
  });

  const kept = new Map<number, Uint8Array>();
  const running = new Map<string, { end(reason: EndReason): void; done: Promise<void> }>();

  async function runJob({ id, evidence: number, timeoutMs }: RunRequest, job: string): Promise<HostReply & { body?: Buffer }> {
    const { port1, port2 } = new MessageChannel();
    const terminating = new AbortController();
    let ended: EndReason | undefined;
    let timer = setTimeout(() => terminating.abort(), startMs);
    const end = (reason: EndReason) => {
      if (ended !== undefined) return;
      ended = reason;
      port1.postMessage(reason);
      clearTimeout(timer);
      timer = setTimeout(() => terminating.abort(), graceMs);
    };
    // It is not the validator's time that a thread takes to start, to load its code and to read what it is shown.
    port1.once('message', () => {
      if (ended !== undefined) return;
      clearTimeout(timer);
      timer = setTimeout(end, timeoutMs, 'timed_out');
    });
    const done = Promise.withResolvers<void>();
    running.set(id, { end, done: done.promise });
    try {
      const bytes = number === undefined ? undefined : kept.get(number);
      const evidence = number === undefined || bytes === undefined ? undefined : { number, bytes };
      const task = { job, evidence, bytesMax: verdictBytesMax, port: port2 };
      const text = await pool.run(task, { transferList: [port2], signal: terminating.signal });
      // An answer that came after the end of its time is no answer.
      if (ended !== undefined) return { kind: ended, id };
      if (typeof text !== 'string') return { kind: 'died', id, reason: 'its thread answered with something else than text.' };
      const body = Buffer.from(text);
      return body.length > verdictBytesMax ? { kind: 'too_large', id } : { kind: 'answered', id, body };
    } catch (error) {
      if (ended !== undefined) return { kind: ended, id, forced: terminating.signal.aborted };
      if (terminating.signal.aborted) return { kind: 'not_run', id, code: 'not_begun', message: describeLate(startMs) };
      return { kind: 'died', id, reason: toText(error instanceof Error ? error.message : error, reasonCharsMax) };
    } finally {
      clearTimeout(timer);
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

  function keep(evidence: number, body: Buffer): void {
    // Memory that threads share need not be copied for each of them. No plugin's code is given it.
    const shared = new Uint8Array(new SharedArrayBuffer(body.length));
    shared.set(body);
    kept.set(evidence, shared);
    const bytes = [...kept.values()].reduce((sum, { length }) => sum + length, 0);
    // What was dropped is freed some time later.
    keptBytesMax = Math.max(keptBytesMax, bytes);
  }

  async function serve(): Promise<void> {
    try {
      for await (const { header, body } of readFrames(channel)) {
        // Nobody else writes to this end of the channel.
        const request = header as HostRequest;
        if (request.kind === 'stop') await stop();
        else if (request.kind === 'cancel') running.get(request.id)?.end('cancelled');
        else if (request.kind === 'keep') keep(request.evidence, body);
        else if (request.kind === 'drop') kept.delete(request.evidence);
        else void runJob(request, body.toString()).then(({ body: text, ...reply }) => writeFrame(channel, reply, text));
      }
    } finally {
      // The coordinator is gone, however it went: nobody is left to answer to.
      await stop();
    }
  }
  void serve();
  process.once('SIGTERM', () => void stop());
  // Ctrl-C reaches every process of the terminal. The coordinator takes it, and ends this process when it is done with it.
  process.on('SIGINT', () => {});
}

function createPool({ threadsMax, resourceLimits, hasEnvironment, threadArgv }: HostSettings): Piscina<ThreadTask, unknown> {
  return new Piscina<ThreadTask, unknown>({
    filename: fileURLToPath(new URL(`./plugin-thread${extname(import.meta.url)}`, import.meta.url)),
    minThreads: 0,
    maxThreads: threadsMax,
    idleTimeout: 30_000,
    // More than one at a time, and ending one would not stop its code.
    concurrentTasksPerWorker: 1,
    // Otherwise timers that a job left behind would stand still and go off in the middle of the next.
    atomics: 'disabled',
    resourceLimits,
    execArgv: [...threadArgv],
    // What started this process may have added to its environment, which is to be empty where programs are not run.
    ...(hasEnvironment ? {} : { env: {} }),
  });
}

const describeLate = (startMs: number) =>
  `Its code was not loaded within ${startMs} ms, and it was not asked: the machine is busy, or the plugin does too much at its start.`;

const memoryLookMs = 50;

/** Evidence is here as the bytes that came in and as those that threads share. Each thread makes text of up to two bytes for each of them. */
const evidenceCopies = 5;

/** Ends the process before it takes the machine's memory: Buffers are in no heap, and nothing else counts them. */
function watchMemory(bytesMax: () => number): void {
  setInterval(() => {
    if (process.memoryUsage.rss() <= bytesMax()) return;
    process.stderr.write(`The plugin process takes more than ${bytesMax()} bytes and ends.\n`);
    process.kill(process.pid, 'SIGKILL');
  }, memoryLookMs).unref();
}

serveJobs(JSON.parse(process.argv[2] ?? '{}'));
