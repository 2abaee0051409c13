import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { addAbortListener } from 'node:events';
import { Socket } from 'node:net';
import { setPriority } from 'node:os';
import type { Readable } from 'node:stream';
import { readFrames, writeFrame } from './frames.ts';
import type { PluginLog } from './plugin-log.ts';
import type { Isolation } from './isolation.ts';
import { hostReply } from './host-reply.ts';
import { type HostAnswer, type HostRequest, reasonCharsMax } from './job.ts';
import type { Evidence } from './shared-evidence.ts';
import { toText } from './text.ts';

export interface JobText {
  /** In JSON, without its evidence. */
  readonly job: string;
  readonly evidence?: Evidence | undefined;
}

export interface RunJobOptions {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** The process of one plugin, from its start to its end, which comes by itself when it has had nothing to do for a while. */
export interface HostChild {
  /** False as soon as it is about to end. */
  readonly alive: boolean;
  /** Resolves when the process has gone. */
  readonly ended: Promise<void>;
  /**
   * Always answers: when all else fails after the time to start, `timeoutMs`, the grace and the backstop.
   * @throws EvidenceTooLarge
   */
  run(job: JobText, options: RunJobOptions): Promise<HostAnswer>;
  /** No job will come any more with this evidence. */
  drop(evidence: Evidence): void;
  stop(): Promise<void>;
}

export function startHostChild({ program, args, env, niceness, settings, idleMs, backstopMs }: Isolation, log: PluginLog): HostChild {
  // What plugins print must not mix with the output of the command that started the coordinator.
  const child = spawn(program, [...args], { env: { ...env }, stdio: ['ignore', 'pipe', 'pipe', 'pipe'] });
  const waiting = new Map<string, (answer: HostAnswer) => void>();
  let over: string | undefined;
  let leaving = false;
  let idle: NodeJS.Timeout | undefined;

  const end = (reason: string) => {
    over ??= reason;
    leaving = true;
    clearTimeout(idle);
    for (const settle of waiting.values()) settle({ kind: 'died', reason: over });
    waiting.clear();
  };
  const kill = (reason: string) => {
    log.warn({ reason }, 'a plugin process is killed');
    end(reason);
    child.kill('SIGKILL');
  };
  const ended = new Promise<void>((resolve) => {
    child.once('exit', (code, signal) => {
      end(signal === null ? `the plugin process ended with code ${code}.` : `the plugin process was ended by ${signal}.`);
      resolve();
    });
    child.once('error', (error) => {
      end(`the plugin process could not be reached: ${error.message}`);
      // Without a pid it never began, and no 'exit' will come.
      if (child.pid === undefined) resolve();
      else child.kill('SIGKILL');
    });
  });
  if (child.pid !== undefined) {
    standBack(child.pid, niceness);
    for (const stream of [child.stdout, child.stderr])
      if (stream !== null) readSlowly(stream, (output) => log.debug({ output }, 'a plugin printed'));
  }
  const channel = child.pid === undefined ? undefined : child.stdio[3];
  if (channel instanceof Socket) void readAnswers(channel);

  async function readAnswers(from: Socket): Promise<void> {
    // A channel that breaks ends the reading, and there it is dealt with.
    from.on('error', () => {});
    try {
      for await (const { header, body } of readFrames(from, { headerBytesMax, bodyBytesMax: settings.verdictBytesMax })) {
        const { id, ...answer } = hostReply.parse(header);
        const settle = waiting.get(id);
        if (settle === undefined) throw new Error('it answers a job that it does not have');
        waiting.delete(id);
        settle(answer.kind === 'answered' ? { kind: 'answered', text: body.toString() } : answer);
      }
      leaving = true;
      // If it is about to end, its end says why. If not, it has closed the channel and can be of no more use.
      child.kill('SIGKILL');
    } catch (error) {
      kill(`what the plugin process wrote is no answer: ${toText(error instanceof Error ? error.message : error, reasonCharsMax)}`);
    }
  }

  const send = (request: HostRequest, body?: Uint8Array) => {
    // There is no need to wait until it has gone out: no more is sent than the jobs need that may run at a time.
    if (channel instanceof Socket && channel.writable) writeFrame(channel, request, body);
  };

  const kept = new Map<Evidence, number>();
  let evidences = 0;
  const drop = (evidence: Evidence) => {
    const number = kept.get(evidence);
    if (number !== undefined && kept.delete(evidence)) send({ kind: 'drop', evidence: number });
  };
  /** Sends evidence the first time that it is asked for. */
  const numberOf = (evidence: Evidence): number => {
    const known = kept.get(evidence);
    if (known !== undefined) return known;
    const bytes = evidence.read();
    // Those of a job that runs are with its thread: no more need to be kept than may be asked for side by side.
    for (const [oldest] of kept) if (kept.size >= settings.threadsMax) drop(oldest);
    evidences += 1;
    kept.set(evidence, evidences);
    send({ kind: 'keep', evidence: evidences }, bytes);
    return evidences;
  };

  async function stop(): Promise<void> {
    leaving = true;
    send({ kind: 'stop' });
    using _killing = setTimeout(() => child.kill('SIGKILL'), settings.graceMs + 2_000);
    await ended;
  }
  const startIdling = () => {
    idle = setTimeout(() => void stop(), idleMs).unref();
  };
  startIdling();

  return {
    get alive() {
      return !leaving;
    },
    ended,
    drop,
    async run({ job, evidence }, { timeoutMs, signal }) {
      if (over !== undefined) return { kind: 'died', reason: over };
      const id = randomUUID();
      const request = { kind: 'run', id, evidence: evidence && numberOf(evidence), timeoutMs } as const;
      const { promise, resolve } = Promise.withResolvers<HostAnswer>();
      clearTimeout(idle);
      waiting.set(id, resolve);
      send(request, Buffer.from(job));
      using _cancelling = addAbortListener(signal, () => send({ kind: 'cancel', id }));
      using _backstop = setTimeout(
        () => {
          resolve({ kind: signal.aborted ? 'cancelled' : 'timed_out', forced: true });
          kill('the plugin process does not answer.');
        },
        settings.startMs + timeoutMs + settings.graceMs + backstopMs,
      );
      const answer = await promise;
      if (waiting.size === 0 && !leaving) startIdling();
      return answer;
    },
    stop,
  };
}

/** Of an answer: room for a reason of its full length, whatever its characters. */
const headerBytesMax = 8 * reasonCharsMax;

/** Before the process has threads, which inherit it. */
function standBack(pid: number, niceness: number): void {
  try {
    if (niceness > 0) setPriority(pid, niceness);
  } catch {
    // It has gone already, which its end will tell, or the system knows no priorities.
  }
}

/** A chunk now and then: reading what a plugin prints in a loop would leave no time for anything else. */
const printMs = 50;

function readSlowly(stream: Readable, tell: (text: string) => void): void {
  stream.setEncoding('utf8').on('data', (text: string) => {
    tell(text.slice(0, 2_000));
    stream.pause();
    setTimeout(() => stream.resume(), printMs).unref();
  });
}
