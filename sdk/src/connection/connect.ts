import { type Client, createClient, type NotificationName, type NotificationParams, type Send } from '@baton/protocol';
import { dial } from './dial.ts';
import { toSocketUrl } from './endpoints.ts';
import { type Disconnected, openLine } from './line.ts';
import { createLink } from './link.ts';
import { withIdempotencyKey } from './repeat.ts';
import { readToken, type TokenSource } from './token-source.ts';

export interface ReconnectOptions {
  /** Also try again where the first connection fails, until the signal aborts. */
  readonly initial?: boolean;
  readonly baseMs?: number;
  readonly capMs?: number;
}

export interface ConnectOptions extends TokenSource {
  /** `ws://host:port/rpc`; http and a missing path are understood. */
  readonly url: string;
  /** For `wss`: the certificates of the authorities to trust, as PEM. Unless given, those that Node trusts. */
  readonly ca?: string;
  /** False: the connection ends with its first socket. */
  readonly reconnect?: ReconnectOptions | false;
  /** Gives up connecting. Has no effect once `connect` has returned. */
  readonly signal?: AbortSignal;
  /** What the coordinator takes at most in one message. */
  readonly frameBytesMax?: number;
  /** A coordinator that shows no sign of life for this long is gone. */
  readonly pingMs?: number;
}

export interface Connection {
  /**
   * One function per method. A call made while there is no connection waits for it. One that was under way when the connection
   * broke is sent again where that is safe; all that changes something carries an idempotency key for it. Refusals that pass
   * by themselves are retried a few times.
   */
  readonly client: Client;
  readonly call: Send;
  /** Returns what takes the listener away again. */
  onNotification<N extends NotificationName>(name: N, listener: (params: NotificationParams<N>) => void): () => void;
  /**
   * Runs the hook now and after every reconnect, before any other call is sent: the place to register a session and to
   * subscribe. Calls made inside the hook go out at once. A hook that fails with an error which will not pass by itself ends
   * the connection. The promise settles with the first run.
   */
  onOpen(hook: () => Promise<void>): Promise<void>;
  /** Runs each time the socket has closed, and once more where connecting again was given up. */
  onClose(listener: (cause: Disconnected) => void): void;
  /** Fails what is still waiting, and settles when the socket is closed. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

const defaults = { baseMs: 100, capMs: 5_000, frameBytesMax: 4 * 1024 * 1024, pingMs: 15_000 };

/**
 * Connects to a coordinator and stays connected.
 * @throws ConnectionError `unreachable` with the address where the first connection fails, unless `reconnect.initial`
 * @throws CoordinatorError `unauthenticated` where the token does not fit
 */
export async function connect(options: ConnectOptions): Promise<Connection> {
  const { reconnect = {}, signal, frameBytesMax = defaults.frameBytesMax, pingMs = defaults.pingMs } = options;
  const url = toSocketUrl(options.url);
  const listeners = new Map<string, Set<(params: never) => void>>();
  // As the coordinator sent them: a newer one may name things this client does not know, and they must not cost the rest.
  const onNotification = (name: string, params: unknown) => {
    for (const listener of listeners.get(name) ?? []) listener(params as never);
  };

  const line = await openLine(
    {
      openLink: async (signal) =>
        createLink(await dial({ url, token: await readToken(options), ca: options.ca, signal }), { onNotification, frameBytesMax, pingMs }),
      backoff: reconnect === false ? undefined : { baseMs: reconnect.baseMs ?? defaults.baseMs, capMs: reconnect.capMs ?? defaults.capMs },
    },
    { isStubborn: reconnect !== false && reconnect.initial === true, signal },
  );

  const call: Send = (method, params, { signal } = {}) => line.call(method, withIdempotencyKey(method, params), signal);
  return {
    call,
    client: createClient(call),
    onNotification(name, listener) {
      const known = listeners.get(name) ?? new Set();
      listeners.set(name, known.add(listener));
      return () => known.delete(listener);
    },
    onOpen: line.onOpen,
    onClose: line.onClose,
    close: line.close,
    [Symbol.asyncDispose]: line.close,
  };
}
