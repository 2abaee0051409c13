import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type { ErrorKind, ParamsInput, Result } from '@baton/protocol';
import type { Exchange } from '../connection/exchange.ts';

/** Where the beats go, and who sends them. */
export interface BeatPlace {
  /** `http://host:port/rpc` */
  readonly httpUrl: string;
  /** For `https`: the certificates of the authorities to trust, as PEM. */
  readonly ca?: string | undefined;
  readonly token?: string | undefined;
  readonly tokenFile?: string | undefined;
}

/** A beat that was not heard. Without a kind the coordinator did not answer. */
export class BeatError extends Error {
  override readonly name = 'BeatError';
  readonly kind: ErrorKind | undefined;

  constructor(message: string, kind?: ErrorKind) {
    super(message);
    this.kind = kind;
  }
}

interface Answer {
  readonly result?: Result<'agent/heartbeat'>;
  readonly error?: { readonly message: string; readonly data?: { readonly kind?: ErrorKind; readonly retryAfterMs?: number } };
}

/**
 * Sends one beat as a request. What a coordinator refuses because it is busy is sent again when it says, until the signal
 * aborts. The schemas of the contract are left out on purpose: with them a thread that only beats would take 30 MiB more.
 * @throws BeatError
 */
export async function sendBeat(
  exchange: Exchange,
  { httpUrl, token, tokenFile }: BeatPlace,
  {
    resumeToken,
    params,
    signal,
  }: { readonly resumeToken: string; readonly params: ParamsInput<'agent/heartbeat'>; readonly signal: AbortSignal },
): Promise<Result<'agent/heartbeat'>> {
  const bearer = token ?? (await readFile(tokenFile ?? '', 'utf8')).trim();
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${bearer}`, 'baton-session': resumeToken };
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'agent/heartbeat', params });
  for (;;) {
    const { status, text } = await exchange(httpUrl, { headers, body, signal });
    const { result, error } = parse(text);
    if (result !== undefined) return result;
    if (error === undefined) throw new BeatError(`What answers at ${httpUrl} is not a coordinator (status ${status}).`);
    if (error.data?.retryAfterMs === undefined) throw new BeatError(error.message, error.data?.kind);
    await delay(error.data.retryAfterMs, undefined, { signal });
  }
}

function parse(text: string): Answer {
  try {
    const json: unknown = JSON.parse(text);
    return typeof json === 'object' && json !== null ? json : {};
  } catch {
    return {};
  }
}
