import { once } from 'node:events';
import { CoordinatorError } from '@baton/protocol';
import { WebSocket } from 'ws';
import type { Caller } from '../../coordinator/src/call.ts';
import { configSchema } from '../../coordinator/src/config.ts';
import { createMetrics } from '../../coordinator/src/metrics.ts';
import { createAuthenticate, createToken } from '../../coordinator/src/wire/auth.ts';
import { readFigures } from './read-metrics.ts';
import type { Call, Dispatch } from '../../coordinator/src/wire/dispatch.ts';
import { createTokenHolders } from '../../coordinator/src/wire/token-holders.ts';
import { startWire, type Wire, type WireConfig, type WireParts } from '../../coordinator/src/wire/server.ts';

/** What stands in for the nouns, which the wire does not know. */
export type TestHandlers = Readonly<Record<string, (call: Call) => unknown>>;

export const caller: Caller = { tokenId: 't', name: 'tester', projectId: 'p', projectName: 'default', role: 'admin' };

/** A token that every wire of a test file accepts. */
export const known = createToken();

export interface TestWire extends Wire {
  /** What was logged, a line each. */
  readonly lines: readonly string[];
  /** What was measured, by name and labels. */
  figures(): Promise<Map<string, number>>;
  [Symbol.asyncDispose](): Promise<void>;
}

export async function startTestWire(
  handlers: TestHandlers,
  config: Partial<WireConfig> = {},
  parts: Partial<WireParts> = {},
): Promise<TestWire> {
  const dispatch: Dispatch = async (call) => {
    const handler = Object.hasOwn(handlers, call.method) ? handlers[call.method] : undefined;
    if (handler === undefined) throw new CoordinatorError('method_unknown', { method: call.method });
    return handler(call);
  };
  const lines: string[] = [];
  const metrics = createMetrics({ warn: () => {} });
  const wire = await startWire({
    config: { ...configSchema.parse({ port: 0 }), ...config },
    log: { error: ({ err, reference }) => void lines.push(`${reference} ${String(err)}`) },
    dispatch,
    authenticate: createAuthenticate(async (id) => (id === known.id ? { caller, secretHash: known.secretHash } : undefined)),
    holders: createTokenHolders(),
    health: async () => {},
    metrics,
    openrpc: { openrpc: '1.3.2' },
    ...parts,
  });
  const figures = async () => readFigures((await metrics.render()).text);
  return { ...wire, lines, figures, [Symbol.asyncDispose]: () => wire.stop(0) };
}

/** A socket without a client on it, to say what no client would. */
export interface RawSocket {
  readonly socket: WebSocket;
  send(text: string): void;
  /** The next frame, as text. */
  next(): Promise<string>;
  /** The close code and reason. */
  readonly closed: Promise<readonly [number, string]>;
  [Symbol.asyncDispose](): Promise<void>;
}

export async function openRaw(
  url: string,
  headers: Record<string, string> = { authorization: `Bearer ${known.token}` },
): Promise<RawSocket> {
  const socket = new WebSocket(url, { headers });
  const frames: string[] = [];
  const readers: ((text: string) => void)[] = [];
  socket.on('message', (message: Buffer) => {
    const reader = readers.shift();
    if (reader === undefined) frames.push(message.toString());
    else reader(message.toString());
  });
  const closed = new Promise<readonly [number, string]>((resolve) => {
    socket.once('close', (code, reason) => resolve([code, reason.toString()]));
  });
  await once(socket, 'open');
  return {
    socket,
    closed,
    send: (text) => socket.send(text),
    next() {
      const frame = frames.shift();
      return frame === undefined ? new Promise((resolve) => readers.push(resolve)) : Promise.resolve(frame);
    },
    async [Symbol.asyncDispose]() {
      socket.terminate();
      await closed;
    },
  };
}

/** Asks for a socket that is not given, and returns the status of the answer. */
export async function refusedStatus(url: string, headers: Record<string, string>): Promise<number | undefined> {
  const socket = new WebSocket(url, { headers });
  const [request, response] = (await once(socket, 'unexpected-response')) as [{ destroy(): void }, { statusCode?: number }];
  socket.once('error', () => {});
  request.destroy();
  return response.statusCode;
}
