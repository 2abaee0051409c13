import { expect, test } from 'vitest';
import { backoffMs } from './backoff.ts';
import { toHttpUrl, toSocketUrl } from './endpoints.ts';

test.each([
  'ws://localhost:4766/rpc',
  'http://localhost:4766',
  'http://localhost:4766/',
  'ws://localhost:4766',
  'ws://a:b@localhost:4766/rpc?token=x',
])('%s is where the coordinator is, for sockets and for requests', (url) => {
  expect([toSocketUrl(url), toHttpUrl(url)]).toEqual(['ws://localhost:4766/rpc', 'http://localhost:4766/rpc']);
});

test('what is encrypted stays so, and a path of its own is kept', () => {
  expect([toSocketUrl('https://host/baton/rpc'), toHttpUrl('wss://host/baton/rpc')]).toEqual([
    'wss://host/baton/rpc',
    'https://host/baton/rpc',
  ]);
});

test.each([
  [0, 100],
  [3, 800],
  [6, 5_000],
  [5_000, 5_000],
])('after %i failures the wait is anything below %i ms', (failures, limit) => {
  const waits = Array.from({ length: 1_000 }, () => backoffMs(failures, { baseMs: 100, capMs: 5_000 }));

  expect(Math.min(...waits)).toBeLessThan(limit / 10);
  expect(Math.max(...waits)).toBeGreaterThan((limit / 10) * 9);
  expect(Math.max(...waits)).toBeLessThan(limit);
});
