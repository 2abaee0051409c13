import { spawn } from 'node:child_process';
import { setPriority } from 'node:os';
import type { PluginLog } from './plugin-log.ts';
import type { Isolation } from './isolation.ts';
import type { HostAnswer, HostReply, HostRequest } from './job.ts';
import type { Evidence } from './shared-evidence.ts';

export interface JobText {
  /** The name of the plugin whose job it is. */
  readonly plugin: string;
  /** In JSON, without its evidence. */
  readonly job: string;
  readonly evidence?: Evidence | undefined;
}

export interface RunJobOptions {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** One plugin process, from its start to its end. */
export interface HostChild {
  readonly alive: boolean;
  /** Resolves when the process has gone. */
  readonly ended: Promise<void>;
  /** Never rejects, and always answers: when all else fails after `timeoutMs`, the grace and the backstop. */
  run(job: JobText, options: RunJobOptions): Promise<HostAnswer>;
  /** No job will come any more with this evidence. */
  drop(evidence: Evidence): void;
  stop(): Promise<void>;
}

interface Waiting {
  settle(answer: HostAnswer): void;
}

export function startHostChild(isolation: Isolation, log: PluginLog): HostChild {
  const { settings, backstopMs } = isolation;
  const child = spawn(isolation.program, [...isolation.args], {
    env: { ...isolation.env },
    // Text goes over as it is, instead of being quoted once more.
    serialization: 'advanced',
    // What plugins print must not mix with the output of the command that started the coordinator.
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  if (child.pid !== undefined) standBack(child.pid, isolation.niceness);
  const waiting = new Map<number, Waiting>();
  const sent = new Map<Evidence, number>();
  let evidences = 0;
  let jobs = 0;
  let alive = true;

  const end = (reason: string) => {
    alive = false;
    for (const { settle } of waiting.values()) settle({ kind: 'died', reason });
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
  child.on('message', ({ id, answer }: HostReply) => waiting.get(id)?.settle(answer));
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => log.debug({ output: text.slice(0, 2_000) }, 'a plugin printed'));
  }

  const send = (request: HostRequest) =>
    child.send(request, (error) => {
      if (error !== null && request.kind === 'run') waiting.get(request.id)?.settle({ kind: 'died', reason: error.message });
    });

  /** Sends evidence the first time that it is asked for. */
  const numberOf = (evidence: Evidence): number => {
    const known = sent.get(evidence);
    if (known !== undefined) return known;
    const { text } = evidence;
    evidences += 1;
    sent.set(evidence, evidences);
    send({ kind: 'keep', evidence: evidences, text });
    return evidences;
  };

  return {
    get alive() {
      return alive;
    },
    ended,
    drop(evidence) {
      const number = sent.get(evidence);
      if (number === undefined) return;
      sent.delete(evidence);
      if (alive) send({ kind: 'drop', evidence: number });
    },
    run({ plugin, job, evidence }, { timeoutMs, signal }) {
      if (!alive) return Promise.resolve({ kind: 'died', reason: 'the plugin process has ended.' });
      const id = ++jobs;
      return new Promise((resolve) => {
        const cancel = () => send({ kind: 'cancel', id });
        const backstop = setTimeout(
          () => {
            log.warn({ timeoutMs }, 'the plugin process does not answer and is killed');
            alive = false;
            waiting.get(id)?.settle({ kind: signal.aborted ? 'cancelled' : 'timed_out', forced: true });
            child.kill('SIGKILL');
          },
          timeoutMs + settings.graceMs + backstopMs,
        );
        waiting.set(id, {
          settle(answer) {
            clearTimeout(backstop);
            signal.removeEventListener('abort', cancel);
            waiting.delete(id);
            resolve(answer);
          },
        });
        signal.addEventListener('abort', cancel);
        send({ kind: 'run', id, plugin, job, ...(evidence !== undefined && { evidence: numberOf(evidence) }), timeoutMs });
        if (signal.aborted) cancel();
      });
    },
    async stop() {
      if (child.connected) send({ kind: 'stop' });
      const killing = setTimeout(() => child.kill('SIGKILL'), settings.graceMs + 2_000);
      await ended;
      clearTimeout(killing);
    },
  };
}

/** Before the process has threads, which inherit it. */
function standBack(pid: number, niceness: number): void {
  try {
    if (niceness > 0) setPriority(pid, niceness);
  } catch {
    // It has gone already, which its end will tell, or the system knows no priorities.
  }
}
