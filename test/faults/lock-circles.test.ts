import { CoordinatorError } from '@baton/protocol';
import { Client } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { eventually } from '../support/eventually.ts';
import type { TestAgent } from '../support/test-agent.ts';
import { outcomeOf, setUpBench } from '../support/work.ts';

let first: Daemon;
let second: Daemon;
beforeAll(async () => {
  // The sweeper is slow, so that a circle is found by whoever closes it or not at all.
  first = await startDaemon({ config: { sweepMs: 60_000 } });
  second = await startDaemon({ databaseUrl: first.databaseUrl!, config: { sweepMs: 60_000 } });
});
afterAll(async () => {
  await second.stop();
  await first.stop();
});

const uniqueKey = (name: string) => `test:${name}-${crypto.randomUUID()}`;
const connectTwo = () => Promise.all([first.connectAgent(), second.connectAgent()]);
const waitersOf = async (key: string) => (await first.client.lock.get({ key })).waiters;
const whenAwaited = (key: string, waiters = 1) => eventually(async () => expect(await waitersOf(key)).toHaveLength(waiters));

const waitMs = 60_000;
const refusalOf = (call: Promise<unknown>) =>
  call.then(
    () => 'granted',
    (error: unknown) => (error instanceof CoordinatorError ? { kind: error.kind, ...error.data } : error),
  );
const take = ({ client }: TestAgent, key: string) => client.lock.acquire({ keys: [{ key }], waitMs });

test('whoever would wait for one that waits for it is refused at once, with the circle; the other goes on waiting', async () => {
  const [a, b] = await connectTwo();
  const [x, y] = [uniqueKey('x'), uniqueKey('y')];
  await take(a, x);
  await take(b, y);
  const waiting = take(a, y);
  await whenAwaited(y);

  const refusal = await refusalOf(take(b, x));
  await b.client.lock.release({ keys: [y] });

  expect(refusal).toMatchObject({
    kind: 'lock_conflict',
    deadlock: true,
    key: x,
    holders: [{ agentId: a.session.agentId }],
    circle: [
      { agentId: b.session.agentId, waitsFor: x },
      { agentId: a.session.agentId, waitsFor: y },
    ],
  });
  expect((await waiting).locks).toMatchObject([{ key: y }]);
});

test('of two who share a lock and would both have it alone the second is refused', async () => {
  const [a, b] = await connectTwo();
  const key = uniqueKey('upgrade');
  await a.client.lock.acquire({ keys: [{ key, mode: 'shared' }] });
  await b.client.lock.acquire({ keys: [{ key, mode: 'shared' }] });
  const upgraded = take(a, key);
  await whenAwaited(key);

  const refusal = await refusalOf(take(b, key));
  await b.client.lock.release({ keys: [key] });

  expect(refusal).toMatchObject({ kind: 'lock_conflict', deadlock: true });
  expect((await upgraded).locks).toMatchObject([{ key, mode: 'exclusive' }]);
});

test('of two who close a circle at the same moment, on two coordinators, one is refused and one is served', async () => {
  const [a, b] = await connectTwo();
  for (let round = 0; round < 25; round += 1) {
    const [x, y] = [uniqueKey('x'), uniqueKey('y')];
    await take(a, x);
    await take(b, y);

    const calls = [refusalOf(take(a, y)), refusalOf(take(b, x))] as const;
    const [refused, winner] = await Promise.race([
      calls[0].then((answer) => [answer, 1] as const),
      calls[1].then((answer) => [answer, 0] as const),
    ]);
    await (winner === 1 ? a : b).client.lock.release({});

    expect(refused).toMatchObject({ kind: 'lock_conflict', deadlock: true });
    expect(await calls[winner]).toBe('granted');
    await (winner === 1 ? b : a).client.lock.release({});
  }
});

test('a circle through a queue is one: a holds x, b waits for x and y, c waits for y behind b, and a would wait for c', async () => {
  const [a, b] = await connectTwo();
  const [c, d] = await connectTwo();
  const [x, y, z] = [uniqueKey('x'), uniqueKey('y'), uniqueKey('z')];
  await take(a, x);
  await take(c, z);
  await take(d, y);
  const forBoth = b.client.lock.acquire({ keys: [{ key: x }, { key: y }], waitMs });
  await whenAwaited(x);
  const behind = take(c, y);
  await whenAwaited(y, 2);

  const refusal = await refusalOf(take(a, z));
  await d.client.lock.release({});
  await a.client.lock.release({});
  await forBoth;
  await b.client.lock.release({});

  expect(refusal).toMatchObject({ kind: 'lock_conflict', deadlock: true });
  expect((await behind).locks).toMatchObject([{ key: y }]);
});

test('who waits for one of several places, of which another will be given back, stands in no circle', async () => {
  const [a, b] = await connectTwo();
  const c = await first.connectAgent();
  const [pool, x] = [uniqueKey('pool'), uniqueKey('x')];
  await first.client.lock.define({ key: pool, places: 2 });
  await take(a, pool);
  await take(b, pool);
  await take(c, x);
  const forPlace = take(c, pool);
  await whenAwaited(pool);

  const forX = take(a, x);
  await whenAwaited(x);
  await b.client.lock.release({});
  await forPlace;
  await c.client.lock.release({});

  expect((await forX).locks).toMatchObject([{ key: x }]);
});

test('two tasks that each would have what the other has declared do not stand still', async () => {
  const [one, two] = await Promise.all([setUpBench(first), setUpBench(second)]);
  const [x, y] = [uniqueKey('x'), uniqueKey('y')];
  await one.submit({ locks: [{ key: x }] });
  await two.submit({ locks: [{ key: y }] });
  const [a, b] = [await one.agent.claimOne(), await two.agent.claimOne()];
  const acquire = ({ client }: TestAgent, key: string, { taskId, attempt }: { taskId: string; attempt: number }) =>
    client.lock.acquire({ keys: [{ key }], waitMs, taskId, attempt });
  const waiting = acquire(one.agent, y, a);
  await whenAwaited(y);

  const refusal = await refusalOf(acquire(two.agent, x, b));
  await two.agent.complete(b);

  expect(refusal).toMatchObject({ kind: 'lock_conflict', deadlock: true, circle: [{ taskId: b.taskId }, { taskId: a.taskId }] });
  expect((await waiting).locks).toMatchObject([{ key: y }]);
});

test('the sweeper parts those who wait for each other however that came about, and refuses the youngest', async () => {
  const [a, b] = await connectTwo();
  const [x, y] = [uniqueKey('x'), uniqueKey('y')];
  await take(a, x);
  await take(b, y);
  const elder = take(a, y);
  await whenAwaited(y);
  const apart = uniqueKey('apart');
  const holder = await first.connectAgent();
  await take(holder, apart);
  const younger = outcomeOf(take(b, apart));
  await whenAwaited(apart);
  // From here on it waits for the other key: no call leads there past the look that is taken when one begins to wait.
  const observer = new Client(first.databaseUrl);
  await observer.connect();
  await observer.query('update lock_waits set key = $1 where key = $2', [x, apart]);
  await observer.end();

  await using _sweeping = await startDaemon({ databaseUrl: first.databaseUrl!, config: { sweepMs: 100 } });
  const outcome = await younger;
  await b.client.lock.release({ keys: [y] });

  expect(outcome).toBe('lock_conflict');
  expect((await elder).locks).toMatchObject([{ key: y }]);
});
