import { AsyncLocalStorage } from 'node:async_hooks';
import { CoordinatorError, type MethodName } from '@baton/protocol';
import { abortable, pause, throwIfCancelled } from './abortable.ts';
import { type Backoff, backoffMs } from './backoff.ts';
import type { CloseCause } from './channel.ts';
import type { Link } from './link.ts';
import { isRepeatable, retryAfterMs } from './repeat.ts';
import { ConnectionError } from './wire-errors.ts';

export interface Disconnected extends CloseCause {
  /** False: this was the last, and every call fails from here on. */
  readonly willReconnect: boolean;
}

export interface LineParts {
  /** Makes a new link, or says why there is none. */
  readonly openLink: (signal: AbortSignal) => Promise<Link>;
  /** Undefined: the line ends with its first link. */
  readonly backoff: Backoff | undefined;
}

/** A succession of links that looks like one: what is called while there is none waits for the next. */
export interface Line {
  call(method: MethodName, params: object, signal: AbortSignal | undefined): Promise<unknown>;
  onOpen(hook: () => Promise<void>): Promise<void>;
  onClose(listener: (cause: Disconnected) => void): void;
  close(): Promise<void>;
}

export interface FirstLinkOptions {
  /** Try again where the first link fails. */
  readonly isStubborn: boolean;
  readonly signal: AbortSignal | undefined;
}

/** A link that is open while its hooks still run: theirs are the only calls that may use it. */
interface Opening {
  readonly link: Link;
  isOver: boolean;
}

/** How often one call is sent again, after lost links and passing refusals together, before its caller hears of it. */
const repeatsMax = 5;

export async function openLine({ openLink, backoff }: LineParts, { isStubborn, signal }: FirstLinkOptions): Promise<Line> {
  const stop = new AbortController();
  const hooks: (() => Promise<void>)[] = [];
  const closeListeners: ((cause: Disconnected) => void)[] = [];
  // Tells a call made inside a hook, which must go out at once, from all others, which wait until the hooks are done.
  const openings = new AsyncLocalStorage<Opening>();
  let current: Link;
  let gate = newGate();

  async function runHooks(link: Link, toRun: readonly (() => Promise<void>)[]): Promise<void> {
    const opening: Opening = { link, isOver: false };
    try {
      await openings.run(opening, async () => {
        for (const hook of toRun) await hook();
      });
    } finally {
      opening.isOver = true;
    }
  }

  async function findNextLink(failuresBefore: number, giveUp: AbortSignal): Promise<Link> {
    for (let failures = failuresBefore; ; failures++) {
      if (backoff !== undefined) await pause(backoffMs(failures, backoff), giveUp);
      let link: Link | undefined;
      try {
        link = await openLink(giveUp);
        current = link;
        giveUp.throwIfAborted();
        await runHooks(link, hooks);
        return link;
      } catch (error) {
        void link?.close(1000, 'The session could not be taken up again.');
        if (giveUp.aborted || backoff === undefined || !isPassing(error)) throw error;
      }
    }
  }

  async function keepOpen(backoff: Backoff | undefined): Promise<void> {
    let failures = 0;
    for (;;) {
      const openedAt = performance.now();
      gate.resolve(current);
      const cause = await current.closed;
      gate = newGate();
      if (backoff === undefined || stop.signal.aborted) {
        end(new ConnectionError('lost', `The connection was closed (${cause.code} ${cause.reason}).`), cause);
        return;
      }
      for (const listener of closeListeners) listener({ ...cause, willReconnect: true });
      // A coordinator that lets us in and closes at once is not to be asked in a tight circle.
      failures = performance.now() - openedAt > backoff.capMs ? 0 : failures + 1;
      try {
        await findNextLink(failures, stop.signal);
      } catch (error) {
        end(error, cause);
        return;
      }
    }
  }

  function end(error: unknown, cause: CloseCause): void {
    gate.reject(stop.signal.aborted ? stop.signal.reason : error);
    stop.abort(error);
    for (const listener of closeListeners) listener({ ...cause, willReconnect: false });
    void current.close(1000, '');
  }

  async function readyLink(signal: AbortSignal | undefined): Promise<Link> {
    for (;;) {
      const link = await abortable(gate.promise, signal);
      if (link.isOpen) return link;
      // It broke between the two; the gate changes with the next turn.
      await link.closed;
    }
  }

  const line: Line = {
    async call(method, params, signal) {
      for (let repeats = 0; ; repeats++) {
        throwIfCancelled(signal);
        const opening = openings.getStore();
        const isInHook = opening !== undefined && !opening.isOver;
        const link = isInHook ? opening.link : await readyLink(signal);
        try {
          return await link.request(method, params, signal);
        } catch (error) {
          const waitMs = retryAfterMs(error);
          const isWorthAnother = waitMs !== undefined || (!isInHook && isLost(error) && isRepeatable(method, params));
          if (!isWorthAnother || repeats >= repeatsMax) throw error;
          await pause(waitMs ?? 0, signal);
        }
      }
    },
    async onOpen(hook) {
      for (;;) {
        const link = await readyLink(undefined);
        try {
          await runHooks(link, [hook]);
          hooks.push(hook);
          return;
        } catch (error) {
          if (!isLost(error)) throw error;
        }
      }
    },
    onClose(listener) {
      closeListeners.push(listener);
    },
    async close() {
      if (!stop.signal.aborted) stop.abort(new ConnectionError('closed', 'The connection was closed on this side.'));
      await current.close(1000, 'The client is done.');
    },
  };

  const giveUp = signal === undefined ? stop.signal : AbortSignal.any([stop.signal, signal]);
  current = await openLink(giveUp).catch((error: unknown) => {
    if (isStubborn && isPassing(error)) return findNextLink(0, giveUp);
    throw error;
  });
  void keepOpen(backoff);
  return line;
}

function newGate() {
  const gate = Promise.withResolvers<Link>();
  // Nobody may be waiting when it is rejected.
  gate.promise.catch(() => {});
  return gate;
}

const isLost = (error: unknown) => error instanceof ConnectionError && error.failure === 'lost';

// Whatever the network does may pass; of what the coordinator says, only what it says will pass.
const isPassing = (error: unknown) => error instanceof ConnectionError || (error instanceof CoordinatorError && error.retryable);
