import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CoordinatorError } from '@baton/protocol';
import { type Connection, connect, type ConnectOptions } from '@baton/sdk/connection';
import { describe, expect, test } from 'vitest';
import '../../../test/support/leaks.ts';
import type { Call } from './dispatch.ts';
import { known, startTestWire, type TestHandlers, type TestWire } from '../../../test/support/test-wire.ts';

const quick = { baseMs: 1, capMs: 5 };
const open = (url: string, options: Partial<ConnectOptions> = {}) => connect({ url, token: known.token, reconnect: quick, ...options });

/** Starts anew where a wire has been. */
const restart = (wire: TestWire, handlers: TestHandlers) => startTestWire(handlers, { port: wire.port });

/** The first call of each method hangs until the wire is gone, and those after it are answered. */
function hangOnce() {
  const calls: Call[] = [];
  const began = Promise.withResolvers<void>();
  const handler: TestHandlers[string] = (call) => {
    calls.push(call);
    if (calls.length > 1) return 'answered';
    began.resolve();
    return new Promise((_resolve, reject) => call.signal.addEventListener('abort', () => reject(call.signal.reason as Error)));
  };
  return { handler, calls, began: began.promise };
}

/** What a call is rejected with, caught from now on and looked at later. */
const failureOf = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => undefined,
    (error: unknown) => error,
  );

const keyOf = ({ params }: Call) => (params as { idempotencyKey?: string }).idempotencyKey;

describe('connecting', () => {
  test('where nobody listens fails with the address', async () => {
    const wire = await startTestWire({});
    await wire.stop(0);

    await expect(open(wire.url)).rejects.toMatchObject({
      failure: 'unreachable',
      message: expect.stringContaining(`${wire.url} (ECONNREFUSED)`),
    });
  });

  test('where something else listens says so', async () => {
    const other = createServer((_request, response) => response.writeHead(404).end()).listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as { port: number };

    await expect(open(`ws://127.0.0.1:${port}`)).rejects.toThrow(/is not a coordinator/);

    other.close();
    other.closeAllConnections();
    await once(other, 'close');
  });

  test('with a token that does not fit fails at once, however stubborn', async () => {
    await using wire = await startTestWire({});

    await expect(open(wire.url, { token: 'wrong', reconnect: { ...quick, initial: true } })).rejects.toMatchObject({
      kind: 'unauthenticated',
    });
  });

  test('reads the token from its file', async () => {
    await using wire = await startTestWire({ 'ticket/list': () => 'done' });
    const folder = await mkdtemp(join(tmpdir(), 'baton-connect-'));
    await writeFile(join(folder, 'token'), `${known.token}\n`);

    const connection = await connect({ url: wire.httpUrl, tokenFile: join(folder, 'token') });

    expect(await connection.call('ticket/list', {})).toBe('done');
    await connection.close();
    await expect(connect({ url: wire.url, tokenFile: join(folder, 'missing') })).rejects.toThrow(/token file .*missing cannot be read/);
    await rm(folder, { recursive: true });
  });

  test('stubbornly waits until somebody listens', async () => {
    const gone = await startTestWire({});
    await gone.stop(0);

    const connecting = open(gone.url, { reconnect: { ...quick, initial: true } });
    await using _wire = await restart(gone, {});

    await (await connecting).close();
  });

  test('stubbornly ends with its signal', async () => {
    const gone = await startTestWire({});
    await gone.stop(0);
    const stop = new AbortController();

    const connecting = open(gone.url, { reconnect: { ...quick, initial: true }, signal: stop.signal });
    stop.abort();

    await expect(connecting).rejects.toThrow(/cancelled|No coordinator answers/);
  });

  test.each(['localhost:4766', 'ftp://localhost', ''])('%j is no address', async (url) => {
    await expect(open(url)).rejects.toThrow(/is not the address of a coordinator/);
  });
});

describe('a call', () => {
  test('throws what the coordinator threw', async () => {
    await using wire = await startTestWire({
      'ticket/get': () => {
        throw new CoordinatorError('invalid_params', { fields: [{ path: 'a', message: 'No.' }] });
      },
    });
    await using connection = await open(wire.url);

    await expect(connection.call('ticket/get', {})).rejects.toMatchObject({
      name: 'CoordinatorError',
      kind: 'invalid_params',
      data: { fields: [{ path: 'a', message: 'No.' }] },
    });
  });

  test('is told to the coordinator as cancelled, and rejected at once', async () => {
    const { handler, calls, began } = hangOnce();
    await using wire = await startTestWire({ 'ticket/list': handler });
    await using connection = await open(wire.url);
    const cancel = new AbortController();

    const calling = connection.call('ticket/list', {}, { signal: cancel.signal });
    await began;
    const told = once(calls[0]!.signal, 'abort');
    cancel.abort();

    await expect(calling).rejects.toMatchObject({ kind: 'cancelled' });
    await told;
  });

  test('that is cancelled before it is made is not sent', async () => {
    const { handler, calls } = hangOnce();
    await using wire = await startTestWire({ 'ticket/list': handler });
    await using connection = await open(wire.url);

    await expect(connection.call('ticket/list', {}, { signal: AbortSignal.abort() })).rejects.toMatchObject({ kind: 'cancelled' });
    expect(calls).toEqual([]);
  });

  test('carries a key of its own where it changes something, or the one it was given', async () => {
    const calls: Call[] = [];
    const note: TestHandlers[string] = (call) => void calls.push(call);
    await using wire = await startTestWire({ 'task/claim': note, 'task/get': note, 'event/subscribe': note });
    await using connection = await open(wire.url);

    await connection.call('task/claim', { max: 1 });
    await connection.call('task/claim', { max: 1, idempotencyKey: 'mine' });
    await connection.call('task/get', {});
    await connection.call('event/subscribe', {});

    expect(calls.map(keyOf)).toEqual([expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-7/), 'mine', undefined, undefined]);
  });

  test('is made again while the refusal is one that passes, for a while', async () => {
    let tries = 0;
    await using wire = await startTestWire({
      'ticket/list': () => {
        if (++tries < 4) throw new CoordinatorError('overloaded', { retryAfterMs: 1 });
        return 'done';
      },
      'ticket/get': () => {
        throw new CoordinatorError('overloaded', { retryAfterMs: 1 });
      },
    });
    await using connection = await open(wire.url);

    expect(await connection.call('ticket/list', {})).toBe('done');
    await expect(connection.call('ticket/get', {})).rejects.toMatchObject({ kind: 'overloaded' });
  });

  test('that is too large is refused here, and the connection lives on', async () => {
    await using wire = await startTestWire({ 'ticket/list': () => 'done' });
    await using connection = await open(wire.url, { frameBytesMax: 1_000 });

    await expect(connection.call('ticket/get', { text: 'x'.repeat(1_000) })).rejects.toMatchObject({ kind: 'limit_exceeded' });
    await expect(connection.call('ticket/get', { big: 1n })).rejects.toMatchObject({ kind: 'invalid_params' });
    expect(await connection.call('ticket/list', {})).toBe('done');
  });
});

describe('when the coordinator comes back on the same port', () => {
  test('what was under way is sent again with the key it had', async () => {
    const { handler, calls, began } = hangOnce();
    const first = await startTestWire({ 'task/claim': handler });
    await using connection = await open(first.url);

    const calling = connection.call('task/claim', { max: 1 });
    await began;
    await first.stop(0);
    await using _second = await restart(first, { 'task/claim': handler });

    expect(await calling).toBe('answered');
    expect(keyOf(calls[0]!)).toBeDefined();
    expect(calls.map(keyOf)).toEqual([keyOf(calls[0]!), keyOf(calls[0]!)]);
  });

  test('what must not be sent twice is given back instead', async () => {
    const { handler, calls, began } = hangOnce();
    const first = await startTestWire({ 'event/subscribe': handler });
    await using connection = await open(first.url);

    const calling = connection.call('event/subscribe', {});
    await began;
    const failure = failureOf(calling);
    await first.stop(0);
    await using _second = await restart(first, { 'event/subscribe': handler });

    expect(await failure).toMatchObject({ name: 'ConnectionError', failure: 'lost', message: expect.stringContaining('event/subscribe') });
    expect(calls).toHaveLength(1);
  });

  test('what was called meanwhile is sent then, unless it was cancelled', async () => {
    const first = await startTestWire({});
    await using connection = await open(first.url);
    const closed = new Promise((resolve) => connection.onClose(resolve));
    await first.stop(0);
    expect(await closed).toMatchObject({ code: 1001, willReconnect: true });

    const calling = connection.call('ticket/list', {});
    const cancel = new AbortController();
    const cancelled = connection.call('ticket/get', {}, { signal: cancel.signal });
    cancel.abort();

    await expect(cancelled).rejects.toMatchObject({ kind: 'cancelled' });
    await using _second = await restart(first, { 'ticket/list': () => 'done' });
    expect(await calling).toBe('done');
  });

  test('the hooks run first, in their order, and their own calls go out at once', async () => {
    const order: string[] = [];
    const note: TestHandlers[string] = ({ method }) => void order.push(method);
    const handlers = { 'agent/register': note, 'event/subscribe': note, 'ticket/list': note, 'ticket/get': note };
    const first = await startTestWire(handlers);
    await using connection = await open(first.url);
    await connection.onOpen(async () => {
      await connection.call('agent/register', {});
      await new Promise((resolve) => setTimeout(resolve, 20));
    });
    await connection.onOpen(async () => {
      await connection.call('event/subscribe', {});
    });
    expect(order.splice(0)).toEqual(['agent/register', 'event/subscribe']);

    await first.stop(0);
    const waiting = [connection.call('ticket/list', {}), connection.call('ticket/get', {})];
    await using _second = await restart(first, handlers);
    await Promise.all(waiting);

    expect(order).toEqual(['agent/register', 'event/subscribe', 'ticket/list', 'ticket/get']);
  });

  test('a hook that is refused for good ends the connection with that refusal', async () => {
    const first = await startTestWire({ 'agent/register': () => ({}) });
    await using connection = await open(first.url);
    await connection.onOpen(async () => void (await connection.call('agent/register', {})));
    const last = new Promise<void>((resolve) => connection.onClose(({ willReconnect }) => !willReconnect && resolve()));

    await first.stop(0);
    const waiting = connection.call('ticket/list', {});
    const failure = failureOf(waiting);
    await using _second = await restart(first, {
      'agent/register': () => {
        throw new CoordinatorError('access_denied');
      },
    });

    expect(await failure).toMatchObject({ kind: 'access_denied' });
    await last;
    await expect(connection.call('ticket/list', {})).rejects.toMatchObject({ kind: 'access_denied' });
  });

  test('a hook that fails the first time is told so, and is not kept', async () => {
    await using wire = await startTestWire({});
    await using connection = await open(wire.url);

    await expect(connection.onOpen(async () => void (await connection.call('agent/register', {})))).rejects.toMatchObject({
      kind: 'method_unknown',
    });
  });
});

describe('notifications', () => {
  const published = { subscriptionId: 's', events: [] };
  const handlers: TestHandlers = { 'event/subscribe': ({ peer }) => peer?.notify('event/published', published) };

  test('reach those who listen, until they do not', async () => {
    await using wire = await startTestWire(handlers);
    await using connection = await open(wire.url);
    const heard: unknown[] = [];
    const stop = connection.onNotification('event/published', (params) => heard.push(params));

    await connection.call('event/subscribe', {});
    stop();
    await connection.call('event/subscribe', {});

    expect(heard).toEqual([published]);
  });
});

describe('closing', () => {
  const closed = { name: 'ConnectionError', failure: 'closed' };

  test('fails what waits, and what comes after', async () => {
    const wire = await startTestWire({});
    const connection: Connection = await open(wire.url);
    const gone = new Promise((resolve) => connection.onClose(resolve));
    await wire.stop(0);
    await gone;
    const failure = failureOf(connection.call('ticket/list', {}));

    await connection.close();

    expect(await failure).toMatchObject(closed);
    await expect(connection.call('ticket/list', {})).rejects.toMatchObject(closed);
    await connection.close();
  });

  test('without reconnecting, the first end is the last', async () => {
    const wire = await startTestWire({});
    await using connection = await open(wire.url, { reconnect: false });
    const last = new Promise((resolve) => connection.onClose(resolve));

    await wire.stop(0);

    expect(await last).toMatchObject({ willReconnect: false });
    await expect(connection.call('ticket/list', {})).rejects.toMatchObject({ failure: 'lost' });
  });
});
