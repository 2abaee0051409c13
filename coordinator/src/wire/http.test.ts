import { once } from 'node:events';
import { request } from 'node:http';
import { connect as connectTcp } from 'node:net';
import { text } from 'node:stream/consumers';
import { CoordinatorError, createClient } from '@baton/protocol';
import { callOverHttp } from '@baton/sdk/connection';
import { describe, expect, test } from 'vitest';
import '../../../test/support/leaks.ts';
import { caller, known, startTestWire, type TestHandlers } from '../../../test/support/test-wire.ts';

const echo: TestHandlers = { echo: ({ params }) => params };
const call = (id: unknown, method = 'echo', params: unknown = {}) => JSON.stringify({ jsonrpc: '2.0', method, params, id });

interface Asked {
  readonly path?: string;
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

/** One request on a connection of its own, with headers that `fetch` would not send. */
async function ask(port: number, { path = '/rpc', method = 'POST', headers = {}, body }: Asked) {
  const given = { 'content-type': 'application/json', authorization: `Bearer ${known.token}`, ...headers };
  const sent = request({ port, path, method, headers: given, agent: false }).end(body);
  const [response] = (await once(sent, 'response')) as [NodeJS.ReadableStream & { statusCode: number; headers: Record<string, string> }];
  return { status: response.statusCode, headers: response.headers, body: await text(response) };
}

describe('POST /rpc', () => {
  test.each([
    ['a call', call(1, 'echo', { a: 1 }), { jsonrpc: '2.0', id: 1, result: { a: 1 } }],
    ['no JSON', '{', { id: null, error: { code: -32700 } }],
    ['an empty batch', '[]', { id: null, error: { code: -32600 } }],
    [
      'a mixed batch',
      `[${call(1)},1,{"jsonrpc":"2.0","method":"echo"}]`,
      [
        { id: 1, result: {} },
        { id: null, error: { code: -32600 } },
      ],
    ],
    ['an unknown method', call(1, 'foobar'), { id: 1, error: { code: -32601 } }],
  ])('answers %s', async (_title, body, expected) => {
    await using wire = await startTestWire(echo);

    const answer = await ask(wire.port, { body });

    expect(answer.status).toBe(200);
    expect(JSON.parse(answer.body)).toMatchObject(expected);
  });

  test.each([
    ['a notification', '{"jsonrpc":"2.0","method":"echo"}'],
    ['a batch of notifications', '[{"jsonrpc":"2.0","method":"echo"},{"jsonrpc":"2.0","method":"foobar"}]'],
    ['a response', '{"jsonrpc":"2.0","id":1,"result":1}'],
  ])('says nothing to %s', async (_title, body) => {
    await using wire = await startTestWire(echo);

    expect(await ask(wire.port, { body })).toMatchObject({ status: 204, body: '' });
  });

  test('hands over who calls and the session token, and no peer', async () => {
    await using wire = await startTestWire({
      who: ({ caller, peer, sessionToken }) => ({ caller, hasPeer: peer !== undefined, sessionToken }),
    });

    const { body } = await ask(wire.port, { headers: { 'baton-session': 'r-1' }, body: call(1, 'who') });

    expect(JSON.parse(body)).toMatchObject({ result: { caller, hasPeer: false, sessionToken: 'r-1' } });
  });

  test('aborts the call when its caller hangs up', async () => {
    const began = Promise.withResolvers<void>();
    const ended = Promise.withResolvers<unknown>();
    await using wire = await startTestWire({
      park: ({ signal }) => {
        signal.addEventListener('abort', () => ended.resolve(signal.reason));
        began.resolve();
        return ended.promise;
      },
    });
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${known.token}` };
    const sent = request({ port: wire.port, path: '/rpc', method: 'POST', headers, agent: false });
    sent.on('error', () => {}).end(call(1, 'park'));
    await began.promise;

    sent.destroy();

    expect(await ended.promise).toMatchObject({ kind: 'cancelled' });
  });

  test.each<[string, Asked, number]>([
    ['another content type', { headers: { 'content-type': 'text/plain' }, body: call(1) }, 415],
    ['a compressed body', { headers: { 'content-encoding': 'gzip' }, body: call(1) }, 415],
    ['no token', { headers: { authorization: '' }, body: call(1) }, 401],
    ['a foreign host', { headers: { host: 'evil.example' }, body: call(1) }, 403],
    ['a host with more than a host in it', { headers: { host: 'evil.example@localhost' }, body: call(1) }, 403],
    ['a foreign origin', { headers: { origin: 'http://evil.example' }, body: call(1) }, 403],
    ['an origin on another port of this machine', { headers: { host: 'localhost:1', origin: 'http://localhost:2' }, body: call(1) }, 403],
    ['too large a body', { body: call(1, 'echo', ['x'.repeat(2_000)]) }, 413],
    [
      'too large a body of unknown length',
      { headers: { 'transfer-encoding': 'chunked' }, body: call(1, 'echo', ['x'.repeat(2_000)]) },
      413,
    ],
    ['a GET', { method: 'GET' }, 405],
    ['another path', { path: '/constructor', body: call(1) }, 404],
  ])('refuses %s', async (_title, asked, status) => {
    await using wire = await startTestWire(echo, { frameBytesMax: 1_000 });

    const answer = await ask(wire.port, asked);

    expect(answer.status).toBe(status);
    expect(JSON.parse(answer.body)).toMatchObject({ jsonrpc: '2.0', id: null, error: { data: { retryable: false } } });
    expect(answer.headers).not.toHaveProperty('access-control-allow-origin');
  });
});

describe('GET', () => {
  test('/health says ok without a token', async () => {
    await using wire = await startTestWire(echo);

    expect(await ask(wire.port, { path: '/health', method: 'GET', headers: { authorization: '' } })).toMatchObject({
      status: 200,
      body: '{"status":"ok"}',
    });
  });

  test('/health says so when the store is away, and not why', async () => {
    await using wire = await startTestWire(echo, {}, { health: () => Promise.reject(new Error('password wrong')) });

    expect(await ask(wire.port, { path: '/health', method: 'GET' })).toMatchObject({ status: 503, body: '{"status":"unavailable"}' });
  });

  test('/openrpc.json is the document', async () => {
    await using wire = await startTestWire(echo);

    expect(await ask(wire.port, { path: '/openrpc.json', method: 'GET' })).toMatchObject({ status: 200, body: '{"openrpc":"1.3.2"}' });
  });
});

test('who sends no whole header is not waited for', async () => {
  await using wire = await startTestWire(echo, { headerTimeoutMs: 50 });
  const socket = connectTcp(wire.port, '127.0.0.1');
  socket.write('POST /rpc HTTP/1.1\r\nHost: localhost\r\n');

  const [answer] = (await once(socket, 'data')) as [Buffer];

  expect(answer.toString()).toContain('408 Request Timeout');
  await once(socket, 'close');
});

test('who names two hosts is told so, whichever comes first', async () => {
  await using wire = await startTestWire(echo);
  const socket = connectTcp(wire.port, '127.0.0.1');
  socket.write('GET /health HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\nConnection: close\r\n\r\n');

  const answer = await text(socket);

  expect(answer).toContain('403 Forbidden');
  expect(answer).toContain('more than one Host header');
});

test('an offer of another protocol is passed over', async () => {
  await using wire = await startTestWire(echo);

  const answer = await ask(wire.port, {
    headers: { connection: 'Upgrade, HTTP2-Settings', upgrade: 'h2c', 'http2-settings': '' },
    body: call(1),
  });

  expect(answer).toMatchObject({ status: 200, body: '{"jsonrpc":"2.0","id":1,"result":{}}' });
});

describe('callOverHttp', () => {
  const info = { name: 'baton', version: '1', uptimeMs: 1, project: 'default', role: 'admin' };
  const durability = { store: 'embedded', survivesProcessCrash: true, survivesPowerLoss: 'no', explanation: '' };

  test('makes a client', async () => {
    await using wire = await startTestWire({ 'coordinator/info': () => ({ ...info, durability }) });

    const client = createClient(callOverHttp({ url: wire.url, token: known.token }));

    expect(await client.coordinator.info()).toEqual({ ...info, durability });
  });

  test('throws what the coordinator threw', async () => {
    await using wire = await startTestWire({
      'ticket/get': () => {
        throw new CoordinatorError('ticket_not_found', { ticketId: 'x' });
      },
    });

    const asked = callOverHttp({ url: wire.httpUrl, token: known.token })('ticket/get', {});

    await expect(asked).rejects.toMatchObject({ name: 'CoordinatorError', kind: 'ticket_not_found', data: { ticketId: 'x' } });
  });

  test('tries again what passes', async () => {
    let tries = 0;
    await using wire = await startTestWire({
      'ticket/list': () => {
        if (++tries < 3) throw new CoordinatorError('overloaded', { retryAfterMs: 1 });
        return 'done';
      },
    });

    expect(await callOverHttp({ url: wire.url, token: known.token })('ticket/list', {})).toBe('done');
  });

  test('says that the token does not fit', async () => {
    await using wire = await startTestWire(echo);

    await expect(callOverHttp({ url: wire.url, token: 'wrong' })('ticket/list', {})).rejects.toMatchObject({ kind: 'unauthenticated' });
  });

  test('names the address where nobody answers', async () => {
    const wire = await startTestWire(echo);
    await wire.stop(0);

    const asked = callOverHttp({ url: wire.url, token: known.token })('ticket/list', {});

    await expect(asked).rejects.toMatchObject({
      name: 'ConnectionError',
      failure: 'unreachable',
      message: expect.stringContaining(`${wire.httpUrl}/rpc (ECONNREFUSED)`),
    });
  });
});
