import { once } from 'node:events';
import { request } from 'node:http';
import { connect as connectTcp, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import '../../../test/support/leaks.ts';
import type { Peer } from '../call.ts';
import { eventually } from '../../../test/support/eventually.ts';
import { createInbox, type Inbox } from '../../../test/support/inbox.ts';
import { known, openRaw, type RawSocket, refusedStatus, startTestWire, type TestHandlers } from '../../../test/support/test-wire.ts';
import { createToken } from './auth.ts';
import { createTokenHolders } from './token-holders.ts';

const echo: TestHandlers = { echo: ({ params }) => params, 'agent/heartbeat': () => 'heard' };
const authorized = { authorization: `Bearer ${known.token}` };
const callText = (id: unknown, method = 'echo', params: unknown = {}) => JSON.stringify({ jsonrpc: '2.0', method, params, id });

/** Calls that end when the test says so. */
function hold() {
  const gate = Promise.withResolvers<string>();
  const begun = createInbox<number>(String);
  const handler: TestHandlers[string] = () => {
    begun.put(begun.items.length + 1);
    return gate.promise;
  };
  const whenHeld = (wanted: number) => begun.waitFor((count) => count === wanted, `${wanted} calls`);
  return { handler, whenHeld, release: () => gate.resolve('done') };
}

interface Answer {
  readonly status: number | undefined;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
}

/** One request on a connection of its own. */
async function post(port: number, body: string, headers: Record<string, string> = authorized): Promise<Answer> {
  const sent = request({ port, path: '/rpc', method: 'POST', headers: { 'content-type': 'application/json', ...headers }, agent: false });
  sent.end(body);
  const [response] = (await once(sent, 'response')) as [NodeJS.ReadableStream & { statusCode?: number; headers: Record<string, unknown> }];
  return { status: response.statusCode, headers: response.headers, body: await text(response) };
}

const answersOf = async (raw: RawSocket, count: number) => {
  const answers: { id: unknown; result?: unknown; error?: { code: number; data: Record<string, unknown> } }[] = [];
  while (answers.length < count) answers.push(JSON.parse(await raw.next()) as (typeof answers)[number]);
  return answers;
};

const overloaded = { code: 50301, data: { kind: 'overloaded', retryable: true, retryAfterMs: expect.any(Number) as number } };

describe('what one message may hold', () => {
  const nested = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`;
  const limits = { frameBytesMax: 10_000, frameDepthMax: 8, batchMax: 3 };

  test.each([
    ['a depth beyond the limit', callText(1).replace('{}', nested(8)), { id: 1, error: { code: -32600 } }],
    ['the depth of the limit', callText(1).replace('{}', nested(7)), { id: 1, result: [[[[[[[]]]]]]] }],
    ['a batch beyond the limit', `[${[1, 2, 3, 4].map((id) => callText(id)).join()}]`, { id: null, error: { code: -32600 } }],
    ['a batch of the limit', `[${[1, 2, 3].map((id) => callText(id)).join()}]`, [{ id: 1 }, { id: 2 }, { id: 3 }]],
    ['a depth beyond all reason', nested(4_000), { id: null, error: { code: -32600 } }],
  ])('%s is answered alike on both doors', async (_title, message, expected) => {
    await using wire = await startTestWire(echo, limits);
    await using raw = await openRaw(wire.url);

    raw.send(message);

    expect(JSON.parse(await raw.next())).toMatchObject(expected);
    expect(JSON.parse((await post(wire.port, message)).body)).toMatchObject(expected);
  });

  test('a frame beyond the limit ends its connection, and no other', async () => {
    await using wire = await startTestWire(echo, limits);
    await using large = await openRaw(wire.url);
    await using other = await openRaw(wire.url);

    large.send('x'.repeat(10_001));

    expect((await large.closed)[0]).toBe(1009);
    other.send(callText(1));
    expect(JSON.parse(await other.next())).toMatchObject({ id: 1, result: {} });
  });

  test('a body that breaks off leaves the coordinator as it was', async () => {
    await using wire = await startTestWire(echo);
    const socket = connectTcp(wire.port, '127.0.0.1');
    socket.write(
      `POST /rpc HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nAuthorization: Bearer ${known.token}\r\nContent-Length: 100\r\n\r\n{"jsonrpc"`,
    );
    await once(socket, 'connect');
    await nextTurn();

    socket.resetAndDestroy();
    await once(socket, 'close');

    expect((await post(wire.port, callText(1))).status).toBe(200);
    expect(wire.lines).toEqual([]);
  });
});

describe('calls in flight', () => {
  test('over HTTP are counted for each token, and the place is free again afterwards', async () => {
    const { handler, whenHeld, release } = hold();
    await using wire = await startTestWire({ ...echo, hold: handler }, { httpCallsInFlightMax: 2 });
    const held = [1, 2].map((id) => post(wire.port, callText(id, 'hold')));
    await whenHeld(2);

    const refused = await post(wire.port, callText(3));

    expect(refused).toMatchObject({ status: 503, headers: { 'retry-after': '1' } });
    expect(JSON.parse(refused.body)).toMatchObject({ error: overloaded });
    release();
    expect((await Promise.all(held)).map(({ status }) => status)).toEqual([200, 200]);
    expect((await post(wire.port, callText(4))).status).toBe(200);
  });

  test('over HTTP are those of a batch too', async () => {
    const { handler, whenHeld, release } = hold();
    await using wire = await startTestWire({ hold: handler }, { httpCallsInFlightMax: 2 });

    const answer = post(wire.port, `[${[1, 2, 3].map((id) => callText(id, 'hold')).join()}]`);
    await whenHeld(2);
    release();

    expect(JSON.parse((await answer).body)).toMatchObject([
      { id: 1, result: 'done' },
      { id: 2, result: 'done' },
      { id: 3, error: overloaded },
    ]);
  });

  test('leave room for what keeps a lease alive', async () => {
    const { handler, whenHeld, release } = hold();
    await using wire = await startTestWire({ ...echo, hold: handler }, { callsInFlightMax: 2 });
    await using raw = await openRaw(wire.url);
    for (const id of [1, 2]) raw.send(callText(id, 'hold'));
    await whenHeld(2);

    raw.send(callText('refused'));
    raw.send(callText('beat', 'agent/heartbeat'));

    expect(await answersOf(raw, 2)).toMatchObject([
      { id: 'refused', error: overloaded },
      { id: 'beat', result: 'heard' },
    ]);
    release();
  });
});

describe('the rate of calls', () => {
  // A call in ten minutes: what the burst does not cover is refused, however slow the machine.
  const slow = { callsPerSecondMax: 1 / 600, callsBurstMax: 3 };
  // A refusal is there at once, and may overtake what was asked before it.
  const inOrder = (answers: Awaited<ReturnType<typeof answersOf>>) => answers.toSorted((a, b) => Number(a.id) - Number(b.id));
  const outcomes = (answers: Awaited<ReturnType<typeof answersOf>>) => answers.map(({ error }) => error?.data['kind'] ?? 'ok');

  test('of a connection is held to its limit, and the refusal says when to come back', async () => {
    await using wire = await startTestWire(echo, slow);
    await using raw = await openRaw(wire.url);

    for (let id = 1; id <= 5; id++) raw.send(callText(id));
    const answers = inOrder(await answersOf(raw, 5));

    expect(outcomes(answers)).toEqual(['ok', 'ok', 'ok', 'overloaded', 'overloaded']);
    expect(answers[4]?.error?.data['retryAfterMs']).toBeGreaterThan(500_000);
  });

  test('does not starve heartbeats', async () => {
    await using wire = await startTestWire(echo, slow);
    await using raw = await openRaw(wire.url);
    for (let id = 1; id <= 10; id++) raw.send(callText(id));
    await answersOf(raw, 10);

    raw.send(callText('beat', 'agent/heartbeat'));

    expect(await answersOf(raw, 1)).toMatchObject([{ id: 'beat', result: 'heard' }]);
  });

  test('of one connection is nothing to another', async () => {
    await using wire = await startTestWire(echo, slow);
    await using busy = await openRaw(wire.url);
    await using other = await openRaw(wire.url);
    for (let id = 1; id <= 10; id++) busy.send(callText(id));
    await answersOf(busy, 10);

    other.send(callText(1));

    expect(outcomes(await answersOf(other, 1))).toEqual(['ok']);
  });

  test('of a token over HTTP is that of all its requests', async () => {
    await using wire = await startTestWire(echo, slow);
    for (let id = 1; id <= 3; id++) await post(wire.port, callText(id));

    const answer = await post(wire.port, callText(4));

    expect(JSON.parse(answer.body)).toMatchObject({ id: 4, error: overloaded });
  });
});

describe('connections', () => {
  test('of one token have a limit of their own, and a closed one makes room', async () => {
    await using wire = await startTestWire(echo, { connectionsPerTokenMax: 1 });
    const first = await openRaw(wire.url);

    expect(await refusedStatus(wire.url, authorized)).toBe(503);

    first.socket.terminate();
    await eventuallyOpens(wire.url);
  });

  test('who sends nothing at all is not waited for', async () => {
    await using wire = await startTestWire(echo, { headerTimeoutMs: 50 });
    const socket = connectTcp(wire.port, '127.0.0.1');

    await closed(socket);
  });

  test('who asks nothing more is let go', async () => {
    await using wire = await startTestWire(echo, { idleTimeoutMs: 50 });
    const socket = connectTcp(wire.port, '127.0.0.1');
    socket.write('GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n');

    await closed(socket);
  });

  /** A connection that asks for much and reads nothing of it, with so many more requests behind the first. */
  const openUnread = async (port: number, answered: Inbox<AbortSignal>, more = 0): Promise<Socket> => {
    const socket = connectTcp(port, '127.0.0.1');
    socket.pause();
    socket.write(toRequest('long') + 'GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(more));
    await answered.waitFor(() => true, 'the call');
    return socket;
  };
  const toRequest = (method: string): string => {
    const body = callText(1, method);
    const head = `POST /rpc HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${known.token}\r\nContent-Type: application/json`;
    return `${head}\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
  };
  /** Answers with more than there is room for on the way, and keeps the signal of each request. */
  const answerAtLength =
    (answered: Inbox<AbortSignal>): TestHandlers[string] =>
    ({ signal }) => {
      answered.put(signal);
      return 'x'.repeat(16 * 1024 * 1024);
    };
  // Long enough for a request to arrive on a busy machine; an answer may take three times as long to be read.
  const headerTimeoutMs = 200;

  test.each([1, 50])('who does not read the answers to %i requests is not waited for', async (requests) => {
    const holders = createTokenHolders();
    const answered = createInbox<AbortSignal>(() => 'a call');
    await using wire = await startTestWire({ long: answerAtLength(answered) }, { headerTimeoutMs }, { holders });
    const socket = await openUnread(wire.port, answered, requests - 1);

    await eventually(() => expect(holders.tokenIds()).toEqual([]));

    await closed(socket);
    expect(socket.bytesRead).toBeLessThan(16 * 1024 * 1024);
  });

  test('who waits long for its answer, and what is asked behind it, is waited for', async () => {
    const { handler, whenHeld, release } = hold();
    const answered = createInbox<AbortSignal>(() => 'a call');
    const handlers = { wait: handler, long: answerAtLength(answered) };
    await using wire = await startTestWire(handlers, { headerTimeoutMs, idleTimeoutMs: 50 });
    const socket = connectTcp(wire.port, '127.0.0.1');
    socket.write(`${toRequest('wait')}GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n`);
    await whenHeld(1);

    // Meanwhile the time passes for one that came later and does not read its answer.
    const other = await openUnread(wire.port, answered);
    await eventually(() => expect(answered.items[0]!.aborted).toBe(true));
    release();

    const answers = await text(socket);
    expect(answers).toContain('"result":"done"');
    expect(answers).toContain('{"status":"ok"}');
    await closed(other);
  });

  test('who does not read is cut off with 4008, and the others hear everything', async () => {
    const peers: Peer[] = [];
    const meet: TestHandlers[string] = ({ peer }) => (peer === undefined ? 0 : peers.push(peer));
    await using wire = await startTestWire({ meet }, { outgoingBytesMax: 100_000 });
    await using idle = await openRaw(wire.url);
    await using reader = await openRaw(wire.url);
    for (const raw of [idle, reader]) {
      raw.send(callText(1, 'meet'));
      await raw.next();
    }
    const gone = new AbortController();
    peers[0]!.onClose(() => gone.abort());
    idle.socket.pause();

    let sent = 0;
    let heard = 0;
    while (!gone.signal.aborted) {
      for (const peer of peers) peer.notify('agent/sessionEnded', { sessionId: `${sent}`.padStart(10_000), reason: 'expired' });
      sent++;
      const { params } = JSON.parse(await reader.next()) as { params: { sessionId: string } };
      if (Number(params.sessionId) === heard) heard++;
    }
    idle.socket.resume();

    expect((await idle.closed)[0]).toBe(4008);
    expect(heard).toBe(sent);
    expect((await wire.figures()).get('baton_refusals_total{reason="read_too_slowly"}')).toBe(1);
  });
});

describe('tokens that do not fit', () => {
  const guess = () => ({ authorization: `Bearer ${createToken().token}` });

  test('are not looked at any more beyond so many, on either door', async () => {
    await using wire = await startTestWire(echo, { failedAuthenticationsPerMinuteMax: 3 });
    for (let count = 0; count < 3; count++) expect((await post(wire.port, callText(1), guess())).status).toBe(401);

    const refused = await post(wire.port, callText(1), guess());

    expect(refused.status).toBe(429);
    expect(JSON.parse(refused.body)).toMatchObject({ id: null, error: overloaded });
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
    expect(await refusedStatus(wire.url, guess())).toBe(429);
  });

  test('do not shut out those from the same address whose tokens have fitted', async () => {
    await using wire = await startTestWire(echo, { failedAuthenticationsPerMinuteMax: 1 });
    await post(wire.port, callText(1));
    await post(wire.port, callText(1), guess());
    expect((await post(wire.port, callText(1), guess())).status).toBe(429);

    await using raw = await openRaw(wire.url);

    raw.send(callText(1));
    expect(JSON.parse(await raw.next())).toMatchObject({ id: 1, result: {} });
  });

  test('do not shut out the token of the data folder, though nobody has shown it since the start', async () => {
    await using wire = await startTestWire(echo, { failedAuthenticationsPerMinuteMax: 1 }, { knownTokens: [known.token] });
    await post(wire.port, callText(1), guess());
    expect((await post(wire.port, callText(1), guess())).status).toBe(429);

    expect((await post(wire.port, callText(1))).status).toBe(200);
  });
});

async function closed(socket: Socket): Promise<void> {
  socket.resume();
  socket.on('error', () => {});
  await once(socket, 'close');
}

/** A close is told to the server by the network, so the place is free a moment later. */
async function eventuallyOpens(url: string): Promise<void> {
  for (;;) {
    try {
      await using _raw = await openRaw(url);
      return;
    } catch {
      await nextTurn();
    }
  }
}
