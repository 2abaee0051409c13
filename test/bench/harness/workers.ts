import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Job, ToParent, ToWorker } from './job.ts';

type ParamsOf<J> = J extends Job<infer Params, infer _Order, infer _Told> ? Params : never;
type OrderOf<J> = J extends Job<infer _Params, infer Order, infer _Told> ? Order : never;
type ToldOf<J> = J extends Job<infer _Params, infer _Order, infer Told> ? Told : never;

/** A job under way in a worker. */
export interface RunningJob<Order, Told> {
  /** Settles when the job waits for its next order. */
  ready(): Promise<void>;
  go(order: Order): void;
  /** The next thing that it tells; undefined once it has ended, or the signal aborts. */
  told(signal?: AbortSignal): Promise<Told | undefined>;
  /** Ends it, and settles when it has ended. */
  stop(): Promise<void>;
}

export interface Worker {
  /** Starts the job that `test/bench/workers/<name>.ts` exports by default. */
  start<J>(name: string, params: ParamsOf<J>): RunningJob<OrderOf<J>, ToldOf<J>>;
}

/** Processes that do what a bench measures from outside: agents, claimers, lock clients. Kept from one round to the next. */
export interface Workers extends AsyncDisposable {
  take(count: number): readonly Worker[];
}

const program = join(import.meta.dirname, '..', 'workers', 'process.ts');

export function openWorkers(): Workers {
  const processes: { readonly child: ChildProcess; readonly worker: Worker }[] = [];
  const open = () => {
    const child = fork(program, {
      execArgv: ['--conditions=source'],
      env: { ...process.env, BATON_LOG_LEVEL: 'warn' },
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    return { child, worker: { start: createStart(child) } };
  };
  return {
    take(count) {
      while (processes.length < count) processes.push(open());
      return processes.slice(0, count).map(({ worker }) => worker);
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(
        processes.map(async ({ child }) => {
          if (child.exitCode !== null || child.signalCode !== null) return;
          const exited = once(child, 'exit');
          child.disconnect();
          await exited;
        }),
      );
    },
  };
}

function createStart(child: ChildProcess): Worker['start'] {
  let jobs = 0;
  return (name, params) => {
    const job = (jobs += 1);
    const ended = Promise.withResolvers<void>();
    const ready = createQueue<void>();
    const told = createQueue<never>();
    const fail = (error: Error) => {
      ended.reject(error);
      ready.fail(error);
      told.fail(error);
    };
    ended.promise.catch(() => undefined);

    const send = (message: ToWorker) => void child.send(message);
    const onExit = () => fail(new Error(`The process of the job ${name} has ended.`));
    const onMessage = (message: ToParent) => {
      if (message.job !== job) return;
      if (message.kind === 'ready') ready.put();
      else if (message.kind === 'told') told.put(message.told as never);
      else {
        child.off('message', onMessage).off('exit', onExit);
        if (message.problem !== undefined) return fail(new Error(`The job ${name} failed: ${message.problem}`));
        ended.resolve();
        told.end();
        ready.fail(new Error(`The job ${name} has ended and takes no orders.`));
      }
    };
    child.on('message', onMessage).on('exit', onExit);
    send({ kind: 'start', job, name, params });
    return {
      ready: () => ready.next(),
      told: told.next,
      go: (order) => send({ kind: 'go', job, order }),
      async stop() {
        send({ kind: 'stop', job });
        await ended.promise;
      },
    };
  };
}

/** What has come and nobody has taken yet, and who waits for what is still to come. */
function createQueue<T>() {
  const items: T[] = [];
  const waiting: PromiseWithResolvers<T | undefined>[] = [];
  let failure: Error | undefined;
  let hasEnded = false;
  return {
    put(item: T) {
      const first = waiting.shift();
      if (first === undefined) items.push(item);
      else first.resolve(item);
    },
    fail(error: Error) {
      failure ??= error;
      for (const each of waiting.splice(0)) each.reject(error);
    },
    end() {
      hasEnded = true;
      for (const each of waiting.splice(0)) each.resolve(undefined);
    },
    next(signal?: AbortSignal): Promise<T | undefined> {
      if (items.length > 0 || hasEnded) return Promise.resolve(items.shift());
      if (failure !== undefined) return Promise.reject(failure);
      const next = Promise.withResolvers<T | undefined>();
      waiting.push(next);
      const leave = () => {
        const place = waiting.indexOf(next);
        if (place !== -1) waiting.splice(place, 1);
        next.resolve(undefined);
      };
      signal?.addEventListener('abort', leave, { once: true });
      return next.promise.finally(() => signal?.removeEventListener('abort', leave));
    },
  };
}
