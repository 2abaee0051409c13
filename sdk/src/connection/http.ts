import { CoordinatorError, type Send } from '@baton/protocol';
import { toHttpUrl } from './endpoints.ts';
import { pause } from './abortable.ts';
import { retryAfterMs, withIdempotencyKey } from './repeat.ts';
import { readToken, type TokenSource } from './token-source.ts';
import { ConnectionError, type ErrorObject, toCoordinatorError } from './wire-errors.ts';

export interface CallOverHttpOptions extends TokenSource {
  /** `http://host:port`; ws and a path are understood. */
  readonly url: string;
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
  return async (method, params, { signal } = {}) => {
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: withIdempotencyKey(method, params) });
    const headers: Record<string, string> = { 'content-type': 'application/json', authorization: `Bearer ${await readToken(options)}` };
    if (options.sessionToken !== undefined) headers['baton-session'] = options.sessionToken;
    for (let repeats = 0; ; repeats++) {
      try {
        return await post(url, { method: 'POST', headers, body, ...(signal && { signal }) });
      } catch (error) {
        const waitMs = retryAfterMs(error);
        if (waitMs === undefined || repeats >= repeatsMax) throw error;
        await pause(waitMs, signal);
      }
    }
  };
}

async function post(url: string, request: RequestInit): Promise<unknown> {
  const { status, text } = await exchange(url, request);
  const answer = parseAnswer(text);
  if (answer?.error !== undefined) throw toCoordinatorError(answer.error);
  if (answer === undefined || !('result' in answer))
    throw new ConnectionError('unreachable', `What answers at ${url} is not a coordinator (status ${status}).`);
  return answer.result;
}

async function exchange(url: string, request: RequestInit): Promise<{ status: number; text: string }> {
  try {
    const response = await fetch(url, request);
    return { status: response.status, text: await response.text() };
  } catch (error) {
    if (request.signal?.aborted === true) throw new CoordinatorError('cancelled', {}, { cause: error });
    throw new ConnectionError('unreachable', `No coordinator answers at ${url} (${describe(error)}). Is it running?`, { cause: error });
  }
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

// `fetch` says "fetch failed" and keeps what happened in the cause.
function describe(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return cause instanceof Error ? ('code' in cause && typeof cause.code === 'string' ? cause.code : cause.message) : String(cause);
}
