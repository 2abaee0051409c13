import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { CoordinatorError, type ErrorKind } from '@baton/protocol';
import { toErrorObject } from '@baton/sdk/connection';

/** An answer in HTTP's own terms, where there is no call yet that could be answered. */
export interface Refusal {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** A refusal that a JSON-RPC client understands too: its body is the answer to a message without an id. */
export function toRefusal(error: CoordinatorError, status = statusOf(error)): Refusal {
  const headers: Record<string, string> = { 'content-type': 'application/json' };
  if (status === 401) headers['www-authenticate'] = 'Bearer';
  const { retryAfterMs } = error.data;
  if (typeof retryAfterMs === 'number') headers['retry-after'] = String(Math.ceil(retryAfterMs / 1_000));
  return { status, headers, body: JSON.stringify({ jsonrpc: '2.0', id: null, error: toErrorObject(error) }) };
}

export const refuse = (kind: ErrorKind, status: number, message: string): Refusal =>
  toRefusal(new CoordinatorError(kind, { message }), status);

function statusOf({ code }: CoordinatorError): number {
  // Our own codes begin with the status they would have in HTTP: 40101, 50301.
  return code >= 40_000 ? Math.floor(code / 100) : 500;
}

/** Answers an upgrade with plain HTTP and hangs up. */
export function refuseUpgrade(socket: Duplex, { status, headers, body }: Refusal): void {
  const lines = Object.entries({ ...headers, connection: 'close', 'content-length': String(Buffer.byteLength(body)) }).map(
    ([name, value]) => `${name}: ${value}`,
  );
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy());
}
