import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Log } from '../log.ts';
import type { Isolation } from './isolation.ts';
import type { HostAnswer, HostReply, HostRequest } from './job.ts';

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
  run(job: string, options: RunJobOptions): Promise<HostAnswer>;
  stop(): Promise<void>;
}

interface Waiting {
  settle(answer: HostAnswer): void;
}

export function startHostChild(isolation: Isolation, log: Log): HostChild {
  const { settings, backstopMs } = isolation;
  const child = fork(fileURLToPath(isolation.module), [JSON.stringify(settings)], {
    execPath: process.execPath,
    execArgv: isolation.execArgv,
    env: isolation.env,
    // Text goes over as it is, instead of being quoted once more.
    serialization: 'advanced',
    // What plugins print must not mix with the output of the command that started the coordinator.
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  const waiting = new Map<number, Waiting>();
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

  return {
    get alive() {
      return alive;
    },
    ended,
    run(job, { timeoutMs, signal }) {
      if (!alive) return Promise.resolve({ kind: 'died', reason: 'the plugin process has ended.' });
      const id = ++jobs;
      return new Promise((resolve) => {
        const cancel = () => send({ kind: 'cancel', id });
        const backstop = setTimeout(
          () => {
            log.warn({ timeoutMs }, 'the plugin process does not answer and is killed');
            alive = false;
            waiting.get(id)?.settle({ kind: signal.aborted ? 'cancelled' : 'timed_out' });
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
        send({ kind: 'run', id, job, timeoutMs });
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
