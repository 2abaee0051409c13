import { once } from 'node:events';
import { CoordinatorError } from '@baton/protocol';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import '../../../test/support/leaks.ts';
import { createServer } from 'node:net';
import type { Peer } from '../call.ts';
import { createToken } from './auth.ts';
import { eventually } from '../../../test/support/eventually.ts';
import { known, openRaw, refusedStatus, startTestWire, type TestHandlers, type TestWire } from '../../../test/support/test-wire.ts';

const echo: TestHandlers = { echo: ({ params }) => params, nothing: () => undefined };

/** A call that never ends by itself, and a promise of what ended it. */
function parked() {
  const began = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<unknown>();
  const handler: TestHandlers[string] = ({ signal }) =>
    new Promise((_resolve, reject) => {
      signal.addEventListener('abort', () => {
        ended.resolve(signal.reason);
        reject(signal.reason as Error);
      });
      began.resolve();
    });
  return { handler, began: began.promise, ended: ended.promise };
}

const callText = (id: unknown, method = 'echo', params: unknown = {}) => JSON.stringify({ jsonrpc: '2.0', method, params, id });

describe('answers on raw frames', () => {
  test.each([
    ['a call', callText(1, 'echo', [42, 23]), { jsonrpc: '2.0', id: 1, result: [42, 23] }],
    ['a call with a text id', callText('1'), { jsonrpc: '2.0', id: '1', result: {} }],
    ['a call with the id null', callText(null), { jsonrpc: '2.0', id: null, result: {} }],
    ['a call with a fraction for an id', callText(1.5), { jsonrpc: '2.0', id: 1.5, result: {} }],
    ['a call without a result', callText(1, 'nothing'), { jsonrpc: '2.0', id: 1, result: null }],
    ['an unknown method', callText('1', 'foobar'), { id: '1', error: { code: -32601 } }],
    ['a method of every object', callText('1', 'constructor'), { id: '1', error: { code: -32601 } }],
    ['no JSON', '{"jsonrpc":"2.0","method":"foobar, "params":"bar","baz]', { id: null, error: { code: -32700 } }],
    ['no request', '{"jsonrpc":"2.0","method":1,"params":"bar"}', { id: null, error: { code: -32600 } }],
    ['an empty batch', '[]', { id: null, error: { code: -32600 } }],
    [
      'a batch of nonsense',
      '[1,2]',
      [
        { id: null, error: { code: -32600 } },
        { id: null, error: { code: -32600 } },
      ],
    ],
    ['an object for an id', callText({}), { id: null, error: { code: -32600 } }],
    ['a batch of one', `[${callText(1)}]`, [{ id: 1, result: {} }]],
  ])('%s', async (_title, text, expected) => {
    await using wire = await startTestWire(echo);
    await using raw = await openRaw(wire.url);

    raw.send(text);

    expect(JSON.parse(await raw.next())).toMatchObject(expected);
  });

  test('a mixed batch is answered in one array, each call under its own id, notifications not at all', async () => {
    await using wire = await startTestWire(echo);
    await using raw = await openRaw(wire.url);

    raw.send(`[${callText(1)},{"jsonrpc":"2.0","method":"echo"},${callText('1')},{"foo":"boo"},${callText(5, 'foobar')}]`);

    const answers = JSON.parse(await raw.next()) as { id: unknown; error?: { code: number } }[];
    expect(answers.map(({ id, error }) => [id, error?.code])).toEqual(
      expect.arrayContaining([
        [null, -32600],
        [1, undefined],
        ['1', undefined],
        [5, -32601],
      ]),
    );
    expect(answers).toHaveLength(4);
  });

  test('a notification runs and is not answered; neither is a batch of them, a response, or a cancel of nothing', async () => {
    const told = Promise.withResolvers<unknown>();
    await using wire = await startTestWire({ ...echo, tell: ({ params }) => told.resolve(params) });
    await using raw = await openRaw(wire.url);

    raw.send('[{"jsonrpc":"2.0","method":"foobar"},{"jsonrpc":"2.0","method":"echo","params":{}}]');
    raw.send('{"jsonrpc":"2.0","id":1,"result":1}');
    raw.send('{"jsonrpc":"2.0","method":"$/cancelRequest"}');
    raw.send('{"jsonrpc":"2.0","method":"$/cancelRequest","params":{}}');
    raw.send('{"jsonrpc":"2.0","method":"$/cancelRequest","params":{"id":null}}');
    raw.send('{"jsonrpc":"2.0","method":"$/progress"}');
    raw.send('{"jsonrpc":"2.0","method":"tell","params":{"a":1}}');
    expect(await told.promise).toEqual({ a: 1 });
    raw.send(callText('last'));

    expect(JSON.parse(await raw.next())).toEqual({ jsonrpc: '2.0', id: 'last', result: {} });
  });

  test('calls in flight with equal ids get an answer each', async () => {
    await using wire = await startTestWire(echo);
    await using raw = await openRaw(wire.url);

    for (const [id, params] of [
      [1, ['a']],
      ['1', ['b']],
      [1, ['c']],
    ] as const)
      raw.send(callText(id, 'echo', params));

    const answers = [await raw.next(), await raw.next(), await raw.next()].map(
      (text) => JSON.parse(text) as { id: unknown; result: unknown },
    );
    expect(answers.map(({ id, result }) => [id, result])).toEqual([
      [1, ['a']],
      ['1', ['b']],
      [1, ['c']],
    ]);
  });

  test('a result that is no JSON is a failure of ours, in the log under its reference', async () => {
    await using wire = await startTestWire({ big: () => 1n });
    await using raw = await openRaw(wire.url);

    raw.send(callText(1, 'big'));

    const { error } = JSON.parse(await raw.next()) as { error: { code: number; data: { reference: string } } };
    expect(error.code).toBe(-32603);
    expect(wire.lines.join()).toContain(error.data.reference);
  });
});

describe('errors', () => {
  test('one of the catalogue arrives with its kind, its details and its fixed text', async () => {
    await using wire = await startTestWire({
      refuse: () => {
        throw new CoordinatorError('lock_conflict', { key: 'file:a', retryAfterMs: 5 });
      },
    });
    await using raw = await openRaw(wire.url);

    raw.send(callText(1, 'refuse'));

    expect(JSON.parse(await raw.next())).toEqual({
      jsonrpc: '2.0',
      id: 1,
      error: {
        code: 40904,
        message: 'Another holder has the lock.',
        data: { kind: 'lock_conflict', retryable: false, key: 'file:a', retryAfterMs: 5 },
      },
    });
  });

  test('any other keeps its text to itself and to the log', async () => {
    await using wire = await startTestWire({
      fail: () => {
        throw new TypeError('secret is undefined');
      },
    });
    await using raw = await openRaw(wire.url);

    raw.send(callText(1, 'fail'));

    const text = await raw.next();
    const { error } = JSON.parse(text) as { error: { code: number; message: string; data: { kind: string; reference: string } } };
    expect(error).toMatchObject({
      code: -32603,
      message: 'The coordinator failed. The reference id leads to its log.',
      data: { kind: 'internal' },
    });
    expect(text).not.toContain('secret');
    expect(wire.lines.find((line) => line.includes(error.data.reference))).toContain('secret is undefined');
  });
});

describe('cancellation', () => {
  test('aborts the call and answers -32800', async () => {
    const call = parked();
    await using wire = await startTestWire({ park: call.handler });
    await using raw = await openRaw(wire.url);

    raw.send(callText('x', 'park'));
    await call.began;
    raw.send('{"jsonrpc":"2.0","method":"$/cancelRequest","params":{"id":"x"}}');

    expect(JSON.parse(await raw.next())).toMatchObject({ id: 'x', error: { code: -32800, data: { kind: 'cancelled' } } });
  });

  test('in the same batch as its call, it keeps the call from running', async () => {
    let runs = 0;
    await using wire = await startTestWire({ count: () => ++runs });
    await using raw = await openRaw(wire.url);

    raw.send(`[${callText(1, 'count')},{"jsonrpc":"2.0","method":"$/cancelRequest","params":{"id":1}}]`);

    expect(JSON.parse(await raw.next())).toMatchObject([{ id: 1, error: { code: -32800 } }]);
    expect(runs).toBe(0);
  });

  test('comes with the end of the connection', async () => {
    const call = parked();
    await using wire = await startTestWire({ park: call.handler });
    await using raw = await openRaw(wire.url);

    raw.send(callText(1, 'park'));
    await call.began;
    raw.socket.terminate();

    expect(await call.ended).toMatchObject({ kind: 'cancelled' });
  });
});

describe('a peer', () => {
  const meet = () => {
    const met = Promise.withResolvers<Peer>();
    const handlers: TestHandlers = { meet: ({ peer }) => (peer === undefined ? undefined : met.resolve(peer)) };
    return { handlers, peer: met.promise };
  };

  test('is told things, and is found by its id while it is there', async () => {
    const { handlers, peer } = meet();
    await using wire = await startTestWire(handlers);
    await using raw = await openRaw(wire.url);
    raw.send(callText(1, 'meet'));
    await raw.next();

    (await peer).notify('agent/sessionEnded', { sessionId: 's', reason: 'expired' });

    expect(JSON.parse(await raw.next())).toEqual({
      jsonrpc: '2.0',
      method: 'agent/sessionEnded',
      params: { sessionId: 's', reason: 'expired' },
    });
    expect(wire.findPeer((await peer).id)).toBe(await peer);
  });

  test('tells of its end, also to who asks late, and then hears nothing', async () => {
    const { handlers, peer } = meet();
    await using wire = await startTestWire(handlers);
    await using raw = await openRaw(wire.url);
    raw.send(callText(1, 'meet'));
    const gone = await peer;
    const heard = Promise.withResolvers<void>();
    gone.onClose(heard.resolve);

    raw.socket.terminate();

    await heard.promise;
    let isToldAtOnce = false;
    gone.onClose(() => {
      isToldAtOnce = true;
    });
    expect(isToldAtOnce).toBe(true);
    expect(wire.findPeer(gone.id)).toBeUndefined();
    gone.notify('agent/sessionEnded', { sessionId: 's', reason: 'expired' });
  });
});

describe('limits', () => {
  test('calls beyond those in flight are refused for now', async () => {
    const call = parked();
    await using wire = await startTestWire({ ...echo, park: call.handler }, { callsInFlightMax: 2 });
    await using raw = await openRaw(wire.url);

    for (const id of [1, 2, 3]) raw.send(callText(id, 'park'));

    expect(JSON.parse(await raw.next())).toMatchObject({
      id: 3,
      error: { code: 50301, data: { kind: 'overloaded', retryable: true, retryAfterMs: 100 } },
    });
  });

  test('a frame that is too large ends the connection with 1009', async () => {
    await using wire = await startTestWire(echo, { frameBytesMax: 1_000 });
    await using raw = await openRaw(wire.url);

    raw.send(callText(1, 'echo', ['x'.repeat(1_000)]));

    expect((await raw.closed)[0]).toBe(1009);
  });

  test('a binary frame ends the connection with 1003', async () => {
    await using wire = await startTestWire(echo);
    await using raw = await openRaw(wire.url);

    raw.socket.send(Buffer.from(callText(1)));

    expect((await raw.closed)[0]).toBe(1003);
  });

  test('who does not read is cut off with 4008 before much is held for it', async () => {
    const met = Promise.withResolvers<Peer>();
    await using wire = await startTestWire(
      { meet: ({ peer }) => (peer === undefined ? undefined : met.resolve(peer)) },
      { outgoingBytesMax: 100_000 },
    );
    await using raw = await openRaw(wire.url);
    raw.send(callText(1, 'meet'));
    const peer = await met.promise;
    raw.socket.pause();
    const gone = new AbortController();
    peer.onClose(() => gone.abort());

    while (!gone.signal.aborted) {
      peer.notify('agent/sessionEnded', { sessionId: 's'.repeat(10_000), reason: 'expired' });
      await new Promise((resolve) => setImmediate(resolve));
    }
    raw.socket.resume();

    expect((await raw.closed)[0]).toBe(4008);
  });

  test('one answer may be larger than what may wait', async () => {
    await using wire = await startTestWire(echo, { outgoingBytesMax: 1_000 });
    await using raw = await openRaw(wire.url);

    raw.send(callText(1, 'echo', ['x'.repeat(100_000)]));

    expect(await raw.next()).toHaveLength(100_000 + '{"jsonrpc":"2.0","id":1,"result":[""]}'.length);
  });

  describe('of who answers no pings', () => {
    // Intervals pass when the test says so: whoever has to wait for the processor must not miss one for that.
    beforeEach(() => void vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] }));
    afterEach(() => void vi.useRealTimers());
    const pingMs = 60_000;
    const receivedBytes = async (wire: TestWire) => (await wire.figures()).get('baton_received_bytes_total')!;

    test('who answers none is gone', async () => {
      const met = Promise.withResolvers<Peer>();
      await using wire = await startTestWire({ meet: ({ peer }) => (peer === undefined ? undefined : met.resolve(peer)) }, { pingMs });
      await using raw = await openRaw(wire.url);
      raw.send(callText(1, 'meet'));
      const peer = await met.promise;
      const isGone = new Promise<void>((resolve) => peer.onClose(resolve));

      raw.socket.pause();
      vi.advanceTimersByTime(pingMs);
      await new Promise(setImmediate);
      vi.advanceTimersByTime(pingMs);

      await isGone;
    });

    test('who answers them stays', async () => {
      await using wire = await startTestWire(echo, { pingMs });
      await using raw = await openRaw(wire.url);

      for (let pings = 1; pings <= 3; pings++) {
        const [pinged, before] = [once(raw.socket, 'ping'), await receivedBytes(wire)];
        vi.advanceTimersByTime(pingMs);
        await pinged;
        await eventually(async () => expect(await receivedBytes(wire)).toBeGreaterThan(before));
      }

      raw.send(callText(1));
      expect(JSON.parse(await raw.next())).toMatchObject({ id: 1 });
    });
  });
});

describe('no connection', () => {
  test.each([
    ['without a token', {}, 401],
    ['with a token of somebody else', { authorization: `Bearer ${createToken().token}` }, 401],
    [
      'with the right id and another secret',
      { authorization: `Bearer ${known.token.slice(0, -1)}${known.token.endsWith('A') ? 'Q' : 'A'}` },
      401,
    ],
    ['with the token as a password', { authorization: `Basic ${known.token}` }, 401],
    ['under a foreign host name', { authorization: `Bearer ${known.token}`, host: 'evil.example:4766' }, 403],
    ['from a page elsewhere', { authorization: `Bearer ${known.token}`, origin: 'https://evil.example' }, 403],
    ['from a page without an origin to name', { authorization: `Bearer ${known.token}`, origin: 'null' }, 403],
  ])('%s', async (_title, headers, status) => {
    await using wire = await startTestWire(echo);

    expect(await refusedStatus(wire.url, headers)).toBe(status);
  });

  test('to another path, not even with the token in it', async () => {
    await using wire = await startTestWire(echo);

    expect(await refusedStatus(wire.url.replace('/rpc', '/'), { authorization: `Bearer ${known.token}` })).toBe(404);
    expect(await refusedStatus(`${wire.url}?token=${known.token}`, {})).toBe(401);
  });

  test('beyond the number allowed', async () => {
    await using wire = await startTestWire(echo, { connectionsMax: 1 });
    await using _raw = await openRaw(wire.url);

    expect(await refusedStatus(wire.url, { authorization: `Bearer ${known.token}` })).toBe(503);
  });

  test('while tokens cannot be looked up', async () => {
    await using wire = await startTestWire(echo, {}, { authenticate: () => Promise.reject(new CoordinatorError('database_unavailable')) });

    expect(await refusedStatus(wire.url, { authorization: `Bearer ${known.token}` })).toBe(503);
  });

  test('but from a page of ours, by any name of this machine', async () => {
    await using wire = await startTestWire(echo);
    const host = `localhost:${wire.port}`;

    await using _raw = await openRaw(wire.url, { authorization: `Bearer ${known.token}`, host, origin: `http://${host}` });
  });
});

describe('starting and stopping', () => {
  test('a taken port is named with what to do about it', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as { port: number };

    await expect(startTestWire(echo, { port })).rejects.toThrow(new RegExp(`Port ${port} on 127\\.0\\.0\\.1 is in use.*--port`));

    other.close();
    await once(other, 'close');
  });

  test.each(['0.0.0.0', '::', '192.168.1.7', 'example.com'])('%s is not listened on without TLS', async (host) => {
    await expect(startTestWire(echo, { host })).rejects.toThrow(/needs TLS/);
  });

  test('a stop answers what is in flight, refuses what is new, and closes with 1001', async () => {
    const release = Promise.withResolvers<string>();
    const began = Promise.withResolvers<void>();
    const wire = await startTestWire({
      ...echo,
      slow: () => {
        began.resolve();
        return release.promise;
      },
    });
    await using raw = await openRaw(wire.url);
    raw.send(callText(1, 'slow'));
    await began.promise;

    const stopped = wire.stop(10_000);
    raw.send(callText(2));
    const refusal: unknown = JSON.parse(await raw.next());
    release.resolve('done');

    expect(refusal).toMatchObject({ id: 2, error: { data: { kind: 'draining', retryable: true, retryAfterMs: 1_000 } } });
    expect(JSON.parse(await raw.next())).toMatchObject({ id: 1, result: 'done' });
    expect((await raw.closed)[0]).toBe(1001);
    await stopped;
  });

  test('a stop does not wait longer than it is told to', async () => {
    const call = parked();
    const wire = await startTestWire({ park: call.handler });
    await using raw = await openRaw(wire.url);
    raw.send(callText(1, 'park'));
    await call.began;

    await wire.stop(10);

    expect(await call.ended).toMatchObject({ kind: 'cancelled' });
    expect((await raw.closed)[0]).toBe(1001);
  });
});
