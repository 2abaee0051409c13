import { setTimeout as sleep } from 'node:timers/promises';
import { CoordinatorError } from '@baton/protocol';

const cancelled = (signal: AbortSignal) => new CoordinatorError('cancelled', {}, { cause: signal.reason });

/** @throws CoordinatorError `cancelled` once the signal aborts */
export function throwIfCancelled(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw cancelled(signal);
}

/**
 * The promise, or its end by the signal; what it waits for goes on either way.
 * @throws CoordinatorError `cancelled` once the signal aborts
 */
export function abortable<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  return new Promise((resolve, reject) => {
    const abort = () => reject(cancelled(signal));
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    promise.finally(() => signal.removeEventListener('abort', abort)).then(resolve, reject);
  });
}

/** @throws CoordinatorError `cancelled` once the signal aborts */
export async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await sleep(ms, undefined, signal === undefined ? {} : { signal });
  } catch (error) {
    throw signal === undefined ? error : cancelled(signal);
  }
}
