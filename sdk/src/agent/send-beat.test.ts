import { expect, test } from 'vitest';
import type { Exchange } from '../connection/exchange.ts';
import { BeatError, sendBeat } from './send-beat.ts';

const heard = { heartbeatMs: 5_000, leaseMs: 15_000, revoked: [] };
const refusal = (data: object) => ({ jsonrpc: '2.0', id: 1, error: { code: 1, message: 'Refused.', data } });

/** A coordinator that answers so, one answer a request. */
function answering(...answers: unknown[]) {
  const sent: Parameters<Exchange>[] = [];
  const exchange: Exchange = async (...request) => {
    sent.push(request);
    const answer = answers.shift();
    return { status: 200, text: typeof answer === 'string' ? answer : JSON.stringify(answer) };
  };
  const send = (signal = new AbortController().signal) =>
    sendBeat(
      exchange,
      { httpUrl: 'http://127.0.0.1:1/rpc', token: 'secret' },
      { resumeToken: 'resume', params: { eventLoopLagMs: 1 }, signal },
    );
  return { send, sent };
}

test('a beat is one request of the session', async () => {
  const { send, sent } = answering({ jsonrpc: '2.0', id: 1, result: heard });

  expect(await send()).toEqual(heard);
  expect(sent).toMatchObject([
    [
      'http://127.0.0.1:1/rpc',
      {
        headers: { authorization: 'Bearer secret', 'baton-session': 'resume' },
        body: '{"jsonrpc":"2.0","id":1,"method":"agent/heartbeat","params":{"eventLoopLagMs":1}}',
      },
    ],
  ]);
});

test('a beat that a busy coordinator refuses is sent again when it says', async () => {
  const { send, sent } = answering(refusal({ kind: 'overloaded', retryAfterMs: 1 }), { jsonrpc: '2.0', id: 1, result: heard });

  expect(await send()).toEqual(heard);
  expect(sent).toHaveLength(2);
});

test('it is not waited for a busy coordinator beyond the next beat', async () => {
  const { send } = answering(refusal({ kind: 'overloaded', retryAfterMs: 600_000 }));

  await expect(send(AbortSignal.timeout(10))).rejects.toThrow('aborted');
});

test.each([
  ['a refusal', refusal({ kind: 'session_unknown' }), 'session_unknown'],
  ['what is no coordinator', '<html>', undefined],
])('%s is an error', async (_, answer, kind) => {
  const error: unknown = await answering(answer)
    .send()
    .catch((thrown: unknown) => thrown);

  expect(error).toBeInstanceOf(BeatError);
  expect(error).toMatchObject({ kind });
});
