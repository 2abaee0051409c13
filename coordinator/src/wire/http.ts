import { isUtf8 } from 'node:buffer';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { CoordinatorError } from '@baton/protocol';
import { type ErrorObject, type FrameLimits, type FrameMessage, readFrame } from '@baton/sdk/connection';
import type { Caller } from '../call.ts';
import type { Config } from '../config.ts';
import type { Metrics } from '../metrics.ts';
import type { Answering } from './answer.ts';
import type { HttpCalls } from './http-calls.ts';
import { type ProbeParts, serveHealth, serveMetrics, serveReady } from './probes.ts';
import { type Refusal, refuse, toRefusal } from './refusal.ts';
import type { Reply } from './reply.ts';
import type { TokenHolders } from './token-holders.ts';

export interface HttpParts extends ProbeParts {
  readonly config: Pick<Config, 'frameBytesMax' | 'headerTimeoutMs' | 'metricsPublic'>;
  readonly limits: FrameLimits;
  readonly answering: Answering;
  readonly calls: HttpCalls;
  readonly metrics: Pick<Metrics, 'recordRefusal' | 'render'>;
  readonly onMalformed: (error: ErrorObject) => void;
  readonly holders: Pick<TokenHolders, 'add'>;
  /** Says who calls, or why nobody is served. */
  readonly admit: (request: IncomingMessage) => Promise<Caller | Refusal>;
  /** Says why nothing is served to this host or origin, whoever asks. */
  readonly refuseStranger: (request: IncomingMessage) => Refusal | undefined;
  readonly openrpc: unknown;
}

type Route = (request: IncomingMessage, response: ServerResponse) => Promise<Reply>;

/** The requests that are no upgrades. No header allows a foreign page to read an answer. */
export function createHttpListener(parts: HttpParts): (request: IncomingMessage, response: ServerResponse) => void {
  const openrpc = JSON.stringify(parts.openrpc);
  const routes: Readonly<Record<string, Readonly<Record<string, Route>>>> = {
    '/rpc': { POST: (request, response) => serveCall(parts, request, response) },
    '/health': { GET: () => serveHealth(parts) },
    '/ready': { GET: () => serveReady(parts) },
    '/metrics': { GET: (request) => serveFigures(parts, request) },
    '/openrpc.json': { GET: async () => ({ status: 200, body: openrpc }) },
  };

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<Reply> {
    const stranger = parts.refuseStranger(request);
    if (stranger !== undefined) return stranger;
    const path = (request.url ?? '').split('?', 1).join('');
    const ways = Object.hasOwn(routes, path) ? routes[path] : undefined;
    if (ways === undefined) return refuse('method_unknown', 404, 'Calls go to POST /rpc.');
    const route = Object.hasOwn(ways, request.method ?? '') ? ways[request.method ?? ''] : undefined;
    if (route === undefined) {
      return {
        ...refuse('method_unknown', 405, 'Calls go to POST /rpc.'),
        headers: { allow: Object.keys(ways).join(), 'content-type': 'application/json' },
      };
    }
    return route(request, response);
  }

  function explain(request: IncomingMessage, error: unknown): Reply {
    // Whoever hung up in the middle of its body hears nothing of this.
    if (request.destroyed) return { status: 400 };
    const { data } = parts.answering.explain(error, 'a request');
    return toRefusal(new CoordinatorError('internal', data as Record<string, unknown>));
  }

  return (request, response) => {
    const reply = serve(request, response).catch((error: unknown) => explain(request, error));
    void reply.then(({ status, headers, body }) => {
      // What is left of a body that was refused would be taken for the next request.
      if (!request.complete) response.setHeader('connection', 'close');
      response.writeHead(status, {
        'cache-control': 'no-store',
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      });
      response.end(body, () => {
        if (!request.complete) request.destroy();
      });
      limitReading(response, 3 * parts.config.headerTimeoutMs);
    });
  };
}

/** Hangs up on who does not read its answer, which would hold the answer and the connection for ever. */
function limitReading(response: ServerResponse, readingMs: number): void {
  const begin = () => {
    const timer = setTimeout(() => response.destroy(), readingMs);
    response.once('close', () => clearTimeout(timer));
  };
  // Behind an answer on the same connection that is still waited for, it cannot be read yet.
  if (response.socket === null) response.once('socket', begin);
  else if (!response.destroyed) begin();
}

// The figures name nobody, so any token may see them.
async function serveFigures(parts: HttpParts, request: IncomingMessage): Promise<Reply> {
  const caller = parts.config.metricsPublic ? undefined : await parts.admit(request);
  return caller !== undefined && 'status' in caller ? caller : serveMetrics(parts);
}

async function serveCall(
  { config, limits, answering, calls, metrics, onMalformed, holders, admit }: HttpParts,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<Reply> {
  if (!/^application\/json *(;|$)/i.test(request.headers['content-type'] ?? '') || request.headers['content-encoding'] !== undefined) {
    return refuse('invalid_request', 415, 'The content type must be application/json, without a content encoding.');
  }
  const caller = await admit(request);
  if ('status' in caller) return caller;
  const receiving = calls.beginRequest(caller.tokenId);
  if ('status' in receiving) return receiving;
  const body = await readBody(request, config.frameBytesMax).finally(receiving.end);
  if (body === undefined) {
    metrics.recordRefusal('body_too_large');
    return refuse('limit_exceeded', 413, `A body has at most ${config.frameBytesMax} bytes.`);
  }

  const gone = new AbortController();
  const cancel = () => gone.abort(new CoordinatorError('cancelled'));
  const release = holders.add(caller.tokenId, cancel);
  const end = () => {
    release();
    cancel();
  };
  response.once('close', end);
  // Its caller may have hung up while the body was read.
  if (response.closed) end();
  const sessionToken = request.headers['baton-session'];
  const answerOne = async (message: FrameMessage): Promise<string | undefined> => {
    if (message.type === 'refused') {
      onMalformed(message.error);
      return toText(message.id, { error: message.error });
    }
    if (message.type === 'dropped' || message.type === 'response' || (message.type === 'notification' && message.method.startsWith('$/')))
      return undefined;
    const { method, params } = message;
    const begun = calls.beginCall(caller.tokenId, method);
    if ('error' in begun) return message.type === 'notification' ? undefined : toText(message.id, begun);
    const answer = await answering
      .answer({
        method,
        params,
        caller,
        peer: undefined,
        sessionToken: typeof sessionToken === 'string' ? sessionToken : undefined,
        signal: gone.signal,
      })
      .finally(begun.end);
    if (message.type === 'notification') return undefined;
    try {
      return toText(message.id, answer);
    } catch (error) {
      return toText(message.id, { error: answering.explain(error, method) });
    }
  };

  // Bytes that are no UTF-8 are no JSON, and neither is the empty text; decoded, they would become other characters.
  const frame = readFrame(isUtf8(body) ? body.toString('utf8') : '', limits);
  const answers = (await Promise.all(frame.messages.map(answerOne))).filter((answer) => answer !== undefined);
  if (answers.length === 0) return { status: 204 };
  return { status: 200, body: frame.isBatch ? `[${answers.join(',')}]` : answers.join('') };
}

const toText = (id: unknown, { result, error }: { result?: unknown; error?: unknown }): string =>
  JSON.stringify(error === undefined ? { jsonrpc: '2.0', id, result: result ?? null } : { jsonrpc: '2.0', id, error });

/** The whole body, or undefined where it is longer than allowed. */
async function readBody(request: IncomingMessage, bytesMax: number): Promise<Buffer | undefined> {
  if (Number(request.headers['content-length'] ?? 0) > bytesMax) return undefined;
  const chunks: Buffer[] = [];
  let bytes = 0;
  // Left early, the loop would destroy the socket before it could be answered.
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > bytesMax) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
