import { describe, expect, test } from 'vitest';
import { type FrameLimits, readFrame } from './frames.ts';

const limits: FrameLimits = { frameDepthMax: 8, batchMax: 3 };

/** What the frame comes to: per message its type, and the code and id of a refusal. */
const outline = (text: string, given = limits) => {
  const { isBatch, messages } = readFrame(text, given);
  const lines = messages.map((message) =>
    message.type === 'refused' ? `${message.error.code} for ${JSON.stringify(message.id)}` : message.type,
  );
  return isBatch ? lines : lines.join();
};

const nested = (levels: number) => '['.repeat(levels) + ']'.repeat(levels);

describe('a frame of one message', () => {
  test.each([
    ['parameters by position', '{"jsonrpc":"2.0","method":"subtract","params":[42,23],"id":1}', 'request'],
    ['parameters by name', '{"jsonrpc":"2.0","method":"subtract","params":{"subtrahend":23},"id":3}', 'request'],
    ['no parameters', '{"jsonrpc":"2.0","method":"foobar","id":"1"}', 'request'],
    ['a notification', '{"jsonrpc":"2.0","method":"update","params":[1,2,3,4,5]}', 'notification'],
    ['a result', '{"jsonrpc":"2.0","result":19,"id":1}', 'response'],
    ['an error', '{"jsonrpc":"2.0","error":{"code":-32601,"message":"Method not found"},"id":"1"}', 'response'],
    ['an error of nothing', '{"jsonrpc":"2.0","error":null,"id":"1"}', 'response'],
    ['the id null', '{"jsonrpc":"2.0","method":"foobar","id":null}', 'request'],
    ['an id with a fraction', '{"jsonrpc":"2.0","method":"foobar","id":1.5}', 'request'],
    ['an empty id', '{"jsonrpc":"2.0","method":"foobar","id":""}', 'request'],
    ['more members than needed', '{"jsonrpc":"2.0","method":"foobar","id":1,"trace":"x"}', 'request'],

    ['the end missing', '{"jsonrpc":"2.0","method":"foobar, "params":"bar","baz]', '-32700 for null'],
    ['nothing', '', '-32700 for null'],
    ['a byte order mark', '\uFEFF{"jsonrpc":"2.0","method":"foobar","id":1}', '-32700 for null'],
    [
      'a batch with its end missing',
      '[{"jsonrpc":"2.0","method":"sum","params":[1,2,4],"id":"1"},{"jsonrpc":"2.0","method"]',
      '-32700 for null',
    ],

    ['a method that is a number', '{"jsonrpc":"2.0","method":1,"params":"bar"}', '-32600 for null'],
    ['an empty batch', '[]', '-32600 for null'],
    ['a number', '1', '-32600 for null'],
    ['null', 'null', '-32600 for null'],
    ['a string', '"foobar"', '-32600 for null'],
    ['an empty object', '{}', '-32600 for null'],
    ['no version', '{"method":"foobar","id":7}', '-32600 for 7'],
    ['an earlier version', '{"jsonrpc":"1.0","method":"foobar","id":7}', '-32600 for 7'],
    ['no method and no result', '{"jsonrpc":"2.0","id":7}', '-32600 for 7'],
    ['a result and an error', '{"jsonrpc":"2.0","id":7,"result":1,"error":{}}', '-32600 for 7'],
    ['parameters that are a string', '{"jsonrpc":"2.0","method":"foobar","params":"bar","id":"a"}', '-32600 for "a"'],
    ['parameters that are null', '{"jsonrpc":"2.0","method":"foobar","params":null,"id":"a"}', '-32600 for "a"'],
    ['an id that is an object', '{"jsonrpc":"2.0","method":"foobar","id":{}}', '-32600 for null'],
    ['an id that is true', '{"jsonrpc":"2.0","method":"foobar","id":true}', '-32600 for null'],
    ['an id that no double holds', '{"jsonrpc":"2.0","method":"foobar","id":9007199254740993}', '-32600 for null'],
    ['an id beyond all numbers', '{"jsonrpc":"2.0","method":"foobar","id":1e400}', '-32600 for null'],
    ['a method by inheritance', '{"jsonrpc":"2.0","__proto__":{"method":"foobar"},"id":1}', '-32600 for 1'],

    ['the deepest nesting allowed', `{"jsonrpc":"2.0","method":"foobar","params":${nested(7)},"id":1}`, 'request'],
    ['one level more', `{"jsonrpc":"2.0","method":"foobar","params":${nested(8)},"id":1}`, '-32600 for 1'],
    ['a notification with one level more', `{"jsonrpc":"2.0","method":"foobar","params":${nested(8)}}`, 'dropped'],
    ['a million levels', nested(1_000_000), '-32600 for null'],
    ['a million brackets in a text', `{"jsonrpc":"2.0","method":"foobar","params":["${'['.repeat(1_000_000)}\\"["],"id":1}`, 'request'],
  ])('%s', (_title, text, expected) => {
    expect(outline(text)).toBe(expected);
  });
});

describe('a batch', () => {
  const call = '{"jsonrpc":"2.0","method":"sum","id":"1"}';
  const notification = '{"jsonrpc":"2.0","method":"notify_hello","params":[7]}';

  test.each([
    ['of calls and notifications', `[${call},${notification}]`, ['request', 'notification']],
    ['of notifications', `[${notification},${notification}]`, ['notification', 'notification']],
    ['of one that is no message', '[1]', ['-32600 for null']],
    ['of three that are no messages', '[1,2,3]', ['-32600 for null', '-32600 for null', '-32600 for null']],
    ['of good and bad', `[${call},{"foo":"boo"},${notification}]`, ['request', '-32600 for null', 'notification']],
    ['in a batch', `[[${call}]]`, ['-32600 for null']],
    ['of more than allowed', `[${call},${call},${call},${call}]`, '-32600 for null'],
  ])('%s', (_title, text, expected) => {
    expect(outline(text)).toEqual(expected);
  });
});

describe('parameters that no handler may receive are refused by their place', () => {
  const call = (params: string) => `{"jsonrpc":"2.0","method":"foobar","params":${params},"id":1}`;

  test.each([
    ['{"__proto__":{"isAdmin":true}}', '__proto__'],
    ['{"a":[{"constructor":1}]}', 'a[0].constructor'],
    ['{"a":{"\\u0070rototype":1}}', 'a.prototype'],
    ['[[{"__proto__":1}]]', '[0][0].__proto__'],
    ['{"tasks":[{},{"title":"a\\u0000b"}]}', 'tasks[1].title'],
    ['{"a\\u0000":1}', 'a\u0000'],
    ['["\\u0000"]', '[0]'],
    ['{"text":"\\ud800"}', 'text'],
    ['{"n":1e400}', 'n'],
  ])('%s', (params, path) => {
    const [message] = readFrame(call(params), limits).messages;

    expect(message).toMatchObject({
      type: 'refused',
      id: 1,
      error: { code: -32602, data: { kind: 'invalid_params', fields: [{ path }] } },
    });
  });

  test('in a notification they are dropped without a word', () => {
    expect(outline('{"jsonrpc":"2.0","method":"foobar","params":{"__proto__":1}}')).toBe('dropped');
  });

  test('surrogate pairs, and the forbidden names as values, are nobody’s business', () => {
    expect(outline(call('{"text":"😀","name":"__proto__"}'))).toBe('request');
  });

  test('a trusted side is taken at its word', () => {
    expect(outline(call('{"constructor":1}'), { ...limits, isTrusted: true })).toBe('request');
  });
});

test('a refusal says what is wrong', () => {
  const [message] = readFrame('[]', limits).messages;

  expect(message).toEqual({
    type: 'refused',
    id: null,
    error: {
      code: -32600,
      message: 'The message is not a JSON-RPC 2.0 request.',
      data: { kind: 'invalid_request', retryable: false, message: 'The batch is empty.' },
    },
  });
});
