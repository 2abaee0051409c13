import { CoordinatorError } from '@baton/protocol';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { eventually } from '../support/eventually.ts';
import type { TestAgent } from '../support/test-agent.ts';

let first: Daemon;
let second: Daemon;
beforeAll(async () => {
  first = await startDaemon();
  second = await startDaemon({ databaseUrl: first.databaseUrl! });
});
afterAll(async () => {
  await second.stop();
  await first.stop();
});

/** Agents by turns on the one and the other coordinator. */
const connectAgents = (count: number) =>
  Promise.all(
    Array.from({ length: count }, (_, index) =>
      (index % 2 === 0 ? first : second).connectAgent({ name: `contender-${index}-${crypto.randomUUID()}` }),
    ),
  );

test('K10 of 12 contenders on two coordinators exactly one holds the lock in each of 50 rounds, with rising fences', async () => {
  const contenders = await connectAgents(12);
  const key = 'db:contended';
  const fences: number[] = [];

  for (let round = 0; round < 50; round += 1) {
    const outcomes = await Promise.all(contenders.map((contender) => tryLock(contender, key)));
    const winners = contenders.filter((_, index) => typeof outcomes[index] === 'number');
    expect(winners).toHaveLength(1);
    expect(outcomes.filter((outcome) => outcome === 'lock_conflict')).toHaveLength(11);
    fences.push(...outcomes.filter((outcome) => typeof outcome === 'number'));
    await winners[0]!.client.lock.release({ keys: [key] });
  }

  expect(fences).toHaveLength(50);
  expect(fences).toEqual([...new Set(fences)].toSorted((a, b) => a - b));
});

test('K11 six who wait get it in the order of their arrival', async () => {
  const [holder, ...waiters] = await connectAgents(7);
  const key = 'port:5432';
  const order: string[] = [];
  await holder!.client.lock.acquire({ keys: [{ key }] });

  const waiting: Promise<void>[] = [];
  for (const waiter of waiters) {
    waiting.push(takeTurn(waiter, key, order));
    await eventually(async () => expect((await first.client.lock.get({ key })).waiters).toHaveLength(waiting.length));
  }
  await holder!.client.lock.release({ keys: [key] });
  await Promise.all(waiting);

  expect(order).toEqual(waiters.map(({ name }) => name));
});

test('K14 two keys requested in opposite orders never deadlock', async () => {
  const [one, two] = await connectAgents(2);
  const [left, right] = ['file:left', 'file:right'];
  const takeBoth = async ({ client }: TestAgent, keys: readonly string[]) => {
    await client.lock.acquire({ keys: keys.map((key) => ({ key })), waitMs: 20_000 });
    await client.lock.release({ keys: [...keys] });
  };

  for (let round = 0; round < 25; round += 1) await Promise.all([takeBoth(one!, [left, right]), takeBoth(two!, [right, left])]);

  const { locks } = await first.client.lock.list({});
  expect(locks.filter(({ key }) => key === left || key === right)).toEqual([]);
});

async function takeTurn({ name, client }: TestAgent, key: string, order: string[]): Promise<void> {
  await client.lock.acquire({ keys: [{ key }], waitMs: 30_000 });
  order.push(name);
  await client.lock.release({ keys: [key] });
}

/** The fence, or the kind of the refusal. */
async function tryLock({ client }: TestAgent, key: string): Promise<number | string> {
  try {
    const { locks } = await client.lock.acquire({ keys: [{ key }] });
    return locks[0]!.fence;
  } catch (error) {
    return error instanceof CoordinatorError ? error.kind : String(error);
  }
}
