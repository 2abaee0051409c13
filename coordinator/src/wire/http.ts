import type { IncomingMessage, ServerResponse } from 'node:http';
import { CoordinatorError } from '@baton/protocol';
import { type FrameLimits, type FrameMessage, readFrame } from '@baton/sdk/connection';
import type { Caller } from '../call.ts';
import type { Config } from '../config.ts';
import type { Answering } from './answer.ts';
import { type Refusal, refuse } from './refusal.ts';

export interface HttpParts {
  readonly config: Pick<Config, 'frameBytesMax'>;
  readonly limits: FrameLimits;
  readonly answering: Answering;
  /** Says who calls, or why nobody is served. */
  readonly admit: (request: IncomingMessage) => Promise<Caller | Refusal>;
  /** Says why nothing is served to this host or origin, whoever asks. */
  readonly refuseStranger: (request: IncomingMessage) => Refusal | undefined;
  /** Fails while the coordinator cannot do its work. */
  readonly health: () => Promise<unknown>;
  readonly openrpc: unknown;
}

type Route = (request: IncomingMessage, response: ServerResponse) => Promise<Reply>;

interface Reply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** The requests that are no upgrades. No header allows a foreign page to read an answer. */
export function createHttpListener(parts: HttpParts): (request: IncomingMessage, response: ServerResponse) => void {
  const openrpc = JSON.stringify(parts.openrpc);
  const routes: Readonly<Record<string, Readonly<Record<string, Route>>>> = {
    '/rpc': { POST: (request, response) => serveCall(parts, request, response) },
    '/health': { GET: () => serveHealth(parts) },
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

  return (request, response) => {
    void serve(request, response).then(({ status, headers, body }) => {
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
    });
  };
}

async function serveHealth({ health }: HttpParts): Promise<Reply> {
  return health().then(
    () => ({ status: 200, body: '{"status":"ok"}' }),
    () => ({ status: 503, body: '{"status":"unavailable"}' }),
  );
}

async function serveCall(
  { config, limits, answering, admit }: HttpParts,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<Reply> {
  if (!/^application\/json *(;|$)/i.test(request.headers['content-type'] ?? '') || request.headers['content-encoding'] !== undefined) {
    return refuse('invalid_request', 415, 'The content type must be application/json, without a content encoding.');
  }
  const caller = await admit(request);
  if ('status' in caller) return caller;
  const body = await readBody(request, config.frameBytesMax);
  if (body === undefined) return refuse('limit_exceeded', 413, `A body has at most ${config.frameBytesMax} bytes.`);

  const gone = new AbortController();
  response.once('close', () => gone.abort(new CoordinatorError('cancelled')));
  const sessionToken = request.headers['baton-session'];
  const answerOne = async (message: FrameMessage): Promise<string | undefined> => {
    if (message.type === 'refused') return toText(message.id, { error: message.error });
    if (message.type === 'dropped' || message.type === 'response' || (message.type === 'notification' && message.method.startsWith('$/')))
      return undefined;
    const { method, params } = message;
    const answer = await answering.answer({
      method,
      params,
      caller,
      peer: undefined,
      sessionToken: typeof sessionToken === 'string' ? sessionToken : undefined,
      signal: gone.signal,
    });
    if (message.type === 'notification') return undefined;
    try {
      return toText(message.id, answer);
    } catch (error) {
      return toText(message.id, { error: answering.explain(error, method) });
    }
  };

  const frame = readFrame(body, limits);
  const answers = (await Promise.all(frame.messages.map(answerOne))).filter((answer) => answer !== undefined);
  if (answers.length === 0) return { status: 204 };
  return { status: 200, body: frame.isBatch ? `[${answers.join(',')}]` : answers.join('') };
}

const toText = (id: unknown, { result, error }: { result?: unknown; error?: unknown }): string =>
  JSON.stringify(error === undefined ? { jsonrpc: '2.0', id, result: result ?? null } : { jsonrpc: '2.0', id, error });

/** The whole body, or undefined where it is longer than allowed. */
async function readBody(request: IncomingMessage, bytesMax: number): Promise<string | undefined> {
  if (Number(request.headers['content-length'] ?? 0) > bytesMax) return undefined;
  const chunks: Buffer[] = [];
  let bytes = 0;
  // Left early, the loop would destroy the socket before it could be answered.
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > bytesMax) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
