import { randomUUID } from 'node:crypto';
import { CoordinatorError, type ErrorKind, errorCatalogue, isErrorKind, isMethodName } from '@baton/protocol';
import { type ErrorObject, toErrorObject } from '@baton/sdk/connection';
import type { Metrics } from '../metrics.ts';
import type { Call, Dispatch } from './dispatch.ts';

export type Answer = { readonly result: unknown } | { readonly error: ErrorObject };

/** Runs calls one by one and counts them. */
export interface Answering {
  /** Runs a call to its end and never throws: the only place on a call's way where errors are caught. */
  answer(call: Call): Promise<Answer>;
  /** What to say of an error that nobody foresaw. The cause goes to the log, under the reference that the caller is given. */
  explain(error: unknown, method: string): ErrorObject;
  /** The calls that are running. */
  readonly running: number;
  /** Settles when no call is running. */
  whenIdle(): Promise<void>;
}

/** Where failures of ours are written down, as pino does. */
export interface FailureLog {
  error(fields: { readonly err: unknown; readonly reference: string; readonly method: string }, text: string): void;
}

export function createAnswering(dispatch: Dispatch, log: FailureLog, metrics: Pick<Metrics, 'recordCall'>): Answering {
  let running = 0;
  const waiting: (() => void)[] = [];

  function explain(cause: unknown, method: string): ErrorObject {
    const reference = randomUUID();
    // The name is the caller's own text and may be of any length.
    log.error({ err: cause, reference, method: method.slice(0, 128) }, 'A call failed for a reason that is ours.');
    return toErrorObject(new CoordinatorError('internal', { reference }));
  }

  async function run(call: Call): Promise<Answer> {
    try {
      call.signal.throwIfAborted();
      return { result: await dispatch(call) };
    } catch (error) {
      if (isCancellation(error, call.signal)) return { error: toErrorObject(new CoordinatorError('cancelled')) };
      if (error instanceof CoordinatorError && errorCatalogue[error.kind].blame !== 'bug') return { error: toErrorObject(error) };
      return { error: explain(error, call.method) };
    }
  }

  return {
    explain,
    get running() {
      return running;
    },
    async answer(call) {
      running++;
      const since = performance.now();
      const answer = await run(call);
      // A name that is not in the contract is the caller's own text, and there is no end of those.
      metrics.recordCall(isMethodName(call.method) ? call.method : 'unknown', outcomeOf(answer), performance.now() - since);
      running--;
      if (running === 0) for (const wake of waiting.splice(0)) wake();
      return answer;
    },
    whenIdle: () => (running === 0 ? Promise.resolve() : new Promise((resolve) => waiting.push(resolve))),
  };
}

function outcomeOf(answer: Answer): 'ok' | ErrorKind {
  if (!('error' in answer)) return 'ok';
  const kind = (answer.error.data as { readonly kind?: unknown } | undefined)?.kind;
  return isErrorKind(kind) ? kind : 'internal';
}

// What waits with the signal of the call throws its reason, or the platform's own AbortError.
const isCancellation = (error: unknown, signal: AbortSignal) =>
  signal.aborted && (error === signal.reason || (error instanceof Error && error.name === 'AbortError'));
