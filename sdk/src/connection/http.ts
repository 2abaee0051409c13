import { CoordinatorError, type Send } from '@baton/protocol';
import { toHttpUrl } from './endpoints.ts';
import { type Exchange, exchangeByFetch, exchangeByNode, type HttpRequest } from './exchange.ts';
import { pause } from './abortable.ts';
import { retryAfterMs, withIdempotencyKey } from './repeat.ts';
import { readToken, type TokenSource } from './token-source.ts';
import { toUnreachable } from './unreachable.ts';
import { ConnectionError, type ErrorObject, toCoordinatorError } from './wire-errors.ts';

export interface CallOverHttpOptions extends TokenSource {
  /** `http://host:port`; ws and a path are understood. */
  readonly url: string;
  /** For `https`: the certificates of the authorities to trust, as PEM. Unless given, those that Node trusts. */
  readonly ca?: string;
  /** The resume token of an agent's session, for calls that belong to one. */
  readonly sessionToken?: string;
}

const repeatsMax = 5;

/**
 * Sends each call as one request, for callers that hold no connection: `createClient(callOverHttp({ url, token }))`.
 * Throws as a connection does; nothing is sent a second time but what was refused for a passing reason.
 */
export function callOverHttp(options: CallOverHttpOptions): Send {
  const url = toHttpUrl(options.url);
  const exchange = options.ca === undefined || !url.startsWith('https:') ? exchangeByFetch : exchangeByNode(options.ca);
  return async (method, params, { signal } = {}) => {
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: withIdempotencyKey(method, params) });
    const headers: Record<string, string> = { 'content-type': 'application/json', authorization: `Bearer ${await readToken(options)}` };
    if (options.sessionToken !== undefined) headers['baton-session'] = options.sessionToken;
    for (let repeats = 0; ; repeats++) {
      try {
        return await post(exchange, url, { headers, body, signal });
      } catch (error) {
        const waitMs = retryAfterMs(error);
        if (waitMs === undefined || repeats >= repeatsMax) throw error;
        await pause(waitMs, signal);
      }
    }
  };
}

async function post(exchange: Exchange, url: string, request: HttpRequest): Promise<unknown> {
  const { status, text } = await exchange(url, request).catch((error: unknown) => {
    if (request.signal?.aborted === true) throw new CoordinatorError('cancelled', {}, { cause: error });
    throw toUnreachable(url, error);
  });
  const answer = parseAnswer(text);
  if (answer?.error !== undefined) throw toCoordinatorError(answer.error);
  if (answer === undefined || !('result' in answer))
    throw new ConnectionError('unreachable', `What answers at ${url} is not a coordinator (status ${status}).`);
  return answer.result;
}

interface Answer {
  readonly result?: unknown;
  readonly error?: ErrorObject;
}

function parseAnswer(text: string): Answer | undefined {
  try {
    const json: unknown = JSON.parse(text);
    return typeof json === 'object' && json !== null && 'jsonrpc' in json ? (json as Answer) : undefined;
  } catch {
    return undefined;
  }
}
