import { expect, test } from 'vitest';
import { configSchema } from '../config.ts';
import { createHttpCalls } from './http-calls.ts';

test('2,000 agents that share a token may all beat at once', () => {
  const calls = createHttpCalls(configSchema.parse({ beatsPerSecondMax: 200 }), { recordRefusal: () => {} });

  const refused = Array.from({ length: 2_000 }, () => {
    const call = calls.beginCall('token', 'agent/heartbeat');
    if ('end' in call) call.end();
    return 'error' in call;
  });

  expect(refused.filter(Boolean)).toEqual([]);
});
