import { CoordinatorError } from '@baton/protocol';
import { WebSocket } from 'ws';
import { toUnreachable } from './unreachable.ts';
import { ConnectionError } from './wire-errors.ts';

export interface DialOptions {
  /** `ws://host:port/rpc` */
  readonly url: string;
  readonly token: string;
  readonly ca?: string | undefined;
  readonly signal: AbortSignal;
}

/** Answers may be larger than calls: a list of artifacts with their contents. */
const answerBytesMax = 64 * 1024 * 1024;
const handshakeTimeoutMs = 10_000;

/**
 * Opens a socket to a coordinator.
 * @throws CoordinatorError `unauthenticated` where the token does not fit, `overloaded` where there is no room
 * @throws ConnectionError `unreachable` with the address where nothing answers, or something else does
 */
export function dial({ url, token, ca, signal }: DialOptions): Promise<WebSocket> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url, {
      headers: { authorization: `Bearer ${token}` },
      handshakeTimeout: handshakeTimeoutMs,
      maxPayload: answerBytesMax,
      maxFragments: 1_024,
      perMessageDeflate: false,
      ...(ca !== undefined && { ca }),
    });
    const hangUp = () => socket.terminate();
    // After an unexpected response this comes a second time, and rejecting again does nothing.
    socket.on('error', (error) => {
      signal.removeEventListener('abort', hangUp);
      reject(toUnreachable(url, error));
    });
    if (signal.aborted) hangUp();
    signal.addEventListener('abort', hangUp, { once: true });
    socket.once('open', () => {
      signal.removeEventListener('abort', hangUp);
      resolve(socket);
    });
    socket.once('unexpected-response', (request, response) => {
      reject(toRefusal(url, response.statusCode ?? 0));
      request.destroy();
      response.destroy();
    });
  });
}

function toRefusal(url: string, status: number): Error {
  if (status === 401) return new CoordinatorError('unauthenticated', { message: `It was shown to ${url}.` });
  if (status === 429) return new CoordinatorError('overloaded', { message: `${url} was shown too many tokens from here that do not fit.` });
  if (status === 503) return new CoordinatorError('overloaded', { message: `${url} takes no more connections now.` });
  if (status === 403) return new ConnectionError('unreachable', `${url} refuses connections under this host name or origin.`);
  return new ConnectionError('unreachable', `What answers at ${url} is not a coordinator (status ${status}).`);
}
