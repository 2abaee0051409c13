import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { outcomeOf } from '../support/work.ts';

let daemon: Daemon;
beforeAll(async () => {
  daemon = await startDaemon();
});
afterAll(() => daemon.stop());

test('a call sent again with its keys in another order is the same call', async () => {
  const call = { title: 'Once', idempotencyKey: crypto.randomUUID() };

  const first = await daemon.client.ticket.create({ ...call, metadata: { a: 1, b: { c: 2, d: [3, { e: 4, f: 5 }] } } });
  const again = await daemon.client.ticket.create({ ...call, metadata: { b: { d: [3, { f: 5, e: 4 }], c: 2 }, a: 1 } });

  expect(again).toEqual(first);
});

test('a call sent again with the items of a list in another order is another call', async () => {
  const call = { title: 'Once', idempotencyKey: crypto.randomUUID() };

  await daemon.client.ticket.create({ ...call, metadata: { list: [1, 2] } });
  const outcome = await outcomeOf(daemon.client.ticket.create({ ...call, metadata: { list: [2, 1] } }));

  expect(outcome).toBe('idempotency_conflict');
});

test('text that no database stores is refused with a key as it is without one', async () => {
  const metadata = { half: '\ud800' };

  const [without, withOne] = await Promise.all([
    outcomeOf(daemon.client.ticket.create({ title: 'Broken', metadata })),
    outcomeOf(daemon.client.ticket.create({ title: 'Broken', metadata, idempotencyKey: crypto.randomUUID() })),
  ]);

  expect(withOne).toBe(without);
});
