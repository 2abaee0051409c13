import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { request } from 'node:https';
import { text } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import '../../../test/support/leaks.ts';
import { createTestCertificate } from '../../../test/support/certificate.ts';
import { known, openRaw, startTestWire, type TestHandlers } from '../../../test/support/test-wire.ts';

const echo: TestHandlers = { echo: ({ params }) => params };
const authorized = { authorization: `Bearer ${known.token}` };

const get = async (url: string, headers: Record<string, string> = {}) => {
  const response = await fetch(url, { headers: { connection: 'close', ...headers } });
  return { status: response.status, type: response.headers.get('content-type'), body: await response.text() };
};

describe('GET /ready', () => {
  const ready = { status: 200, body: '{"status":"ready"}' };
  const notReady = (reason: string) => ({ status: 503, body: JSON.stringify({ status: 'not_ready', reason }) });

  test('says yes, to whoever asks', async () => {
    await using wire = await startTestWire(echo);

    expect(await get(`${wire.httpUrl}/ready`)).toMatchObject(ready);
  });

  test('says no until everything has been started', async () => {
    let isStarting = true;
    await using wire = await startTestWire(echo, {}, { isStarting: () => isStarting });

    const before = await get(`${wire.httpUrl}/ready`);
    isStarting = false;

    expect([before, await get(`${wire.httpUrl}/ready`)]).toMatchObject([notReady('starting'), ready]);
  });

  test('says no while the database is away, and not why', async () => {
    await using wire = await startTestWire(echo, {}, { health: () => Promise.reject(new Error('password wrong')) });

    expect(await get(`${wire.httpUrl}/ready`)).toMatchObject(notReady('database_unavailable'));
  });

  test('says no while calls are waited for before the end', async () => {
    const held = Promise.withResolvers<string>();
    const began = Promise.withResolvers<void>();
    const wire = await startTestWire({
      hold: () => {
        began.resolve();
        return held.promise;
      },
    });
    await using raw = await openRaw(wire.url);
    raw.send('{"jsonrpc":"2.0","id":1,"method":"hold"}');
    await began.promise;

    const stopped = wire.stop(10_000);
    const answer = await get(`${wire.httpUrl}/ready`);
    held.resolve('done');
    await stopped;

    expect(answer).toMatchObject(notReady('draining'));
  });
});

describe('GET /metrics', () => {
  test('needs a token, as calls do', async () => {
    await using wire = await startTestWire(echo);

    expect((await get(`${wire.httpUrl}/metrics`)).status).toBe(401);
    expect(await get(`${wire.httpUrl}/metrics`, authorized)).toMatchObject({
      status: 200,
      type: 'text/plain; version=0.0.4; charset=utf-8',
      body: expect.stringContaining('# TYPE baton_connections gauge\nbaton_connections 0\n') as string,
    });
  });

  test('needs none where the configuration says so', async () => {
    await using wire = await startTestWire(echo, { metricsPublic: true });

    expect((await get(`${wire.httpUrl}/metrics`)).status).toBe(200);
  });

  test('counts what came and what was turned away, with labels from the contract only', async () => {
    await using wire = await startTestWire({ 'ticket/list': () => 'done' });
    await using raw = await openRaw(wire.url);
    for (const frame of ['{', '[]', '{"jsonrpc":"2.0","id":1,"method":"made/up"}', '{"jsonrpc":"2.0","id":1,"method":"ticket/list"}']) {
      raw.send(frame);
      await raw.next();
    }

    const figures = await wire.figures();

    expect(figures.get('baton_calls_total{method="ticket/list",outcome="ok"}')).toBe(1);
    expect(figures.get('baton_calls_total{method="unknown",outcome="method_unknown"}')).toBe(1);
    expect(figures.get('baton_refusals_total{reason="parse_error"}')).toBe(1);
    expect(figures.get('baton_refusals_total{reason="invalid_request"}')).toBe(1);
    expect(figures.get('baton_connections')).toBe(1);
    expect(figures.get('baton_calls_in_flight')).toBe(0);
    expect(figures.get('baton_received_bytes_total')).toBeGreaterThan(100);
    expect(figures.get('baton_sent_bytes_total')).toBeGreaterThan(100);
    expect([...figures.keys()].filter((name) => !name.startsWith('baton_'))).toEqual([]);
  });

  test('counts the bytes of sockets under TLS too', async () => {
    const { cert, key } = createTestCertificate();
    await using wire = await startTestWire(echo, {}, { tls: { cert, key, certificate: new X509Certificate(cert) } });
    const sent = request(`${wire.httpUrl}/health`, { ca: cert, agent: false }).end();
    const [response] = (await once(sent, 'response')) as [NodeJS.ReadableStream];
    await text(response);

    const figures = await wire.figures();

    expect(figures.get('baton_received_bytes_total')).toBeGreaterThan(100);
    expect(figures.get('baton_sent_bytes_total')).toBeGreaterThan(100);
  });
});

describe('pages of other origins', () => {
  const foreign = { origin: 'https://evil.example', 'access-control-request-method': 'POST' };

  test.each(['/rpc', '/health', '/ready', '/metrics', '/openrpc.json'])('may not read %s, nor ask whether they may', async (path) => {
    await using wire = await startTestWire(echo, { metricsPublic: true });

    for (const method of ['GET', 'OPTIONS']) {
      const response = await fetch(`${wire.httpUrl}${path}`, { method, headers: { connection: 'close', ...foreign } });
      await response.text();

      expect(response.status).toBe(403);
      expect([...response.headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([]);
    }
  });
});
