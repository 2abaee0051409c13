import { CoordinatorError } from '@baton/protocol';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { eventually } from '../support/eventually.ts';
import { outcomeOf, setUpBench } from '../support/work.ts';

let daemon: Daemon;
beforeAll(async () => {
  daemon = await startDaemon({ config: { sweepMs: 500, lockGrantsMax: 20, lockWaitersMax: 1_000 } });
});
afterAll(() => daemon.stop());

const uniqueKey = (name: string) => `test:${name}-${crypto.randomUUID()}`;
const waitersOf = async (key: string) => (await daemon.client.lock.get({ key })).waiters;
const refusalOf = (call: Promise<unknown>) =>
  call.then(
    () => 'granted',
    (error: unknown) => (error instanceof CoordinatorError ? { kind: error.kind, ...error.data } : error),
  );

test('who waits for the key that is released is served, though five hundred wait for ranges of its space before it', async () => {
  const [holder, releaser, waiter] = await Promise.all([daemon.connectAgent(), daemon.connectAgent(), daemon.connectAgent()]);
  const crowd = await Promise.all(Array.from({ length: 9 }, () => daemon.connectAgent()));
  const [range, key] = ['crowd:1-1', 'crowd:80'];
  await holder.client.lock.acquire({ keys: [{ key: range }] });
  await releaser.client.lock.acquire({ keys: [{ key }] });
  const waiting = crowd.flatMap(({ client }) =>
    Array.from({ length: 60 }, () => outcomeOf(client.lock.acquire({ keys: [{ key: range }], waitMs: 60_000 }))),
  );
  await eventually(async () => expect(await waitersOf(range)).toHaveLength(540));
  const served = waiter.client.lock.acquire({ keys: [{ key }], waitMs: 60_000 });
  await eventually(async () => expect(await waitersOf(key)).toHaveLength(1));

  await releaser.client.lock.release({ keys: [key] });

  expect((await served).locks).toMatchObject([{ key }]);
  for (const { client } of crowd) await client.agent.deregister({});
  expect(new Set(await Promise.all(waiting))).toEqual(new Set(['session_unknown']));
});

test('a request that would lead to more locks than one may is refused, with the field, the number and what to do', async () => {
  const { client } = await daemon.connectAgent();
  const keys = [
    { key: 'members:1-10000', places: 15 },
    { key: 'members:20000-29999', places: 6 },
  ];

  const refusal = await refusalOf(client.lock.acquire({ keys }));
  const { submit } = await setUpBench(daemon);
  const ofTask = await refusalOf(submit({ title: 'Takes one' }, { locks: [{ key: 'members:1-10000', places: 21 }] }));
  const { locks } = await client.lock.acquire({ keys: [{ key: 'members:1-10000', places: 20 }] });

  expect(refusal).toMatchObject({
    kind: 'limit_exceeded',
    setting: 'lockGrantsMax',
    limit: 20,
    value: 21,
    fields: [{ path: 'keys', message: expect.stringMatching(/fewer places/) as string }],
  });
  expect(ofTask).toMatchObject({ kind: 'limit_exceeded', value: 21, fields: [{ path: 'tasks[1].locks' }] });
  expect(locks).toHaveLength(20);
});

test('all tasks that would share a lock begin when it is released', async () => {
  const { agent, submit } = await setUpBench(daemon, { capacity: 40 });
  const holder = await daemon.connectAgent();
  const key = uniqueKey('shared');
  await holder.client.lock.acquire({ keys: [{ key }] });
  await submit(...Array.from({ length: 24 }, () => ({ locks: [{ key, mode: 'shared' as const }] })));
  expect(await agent.claim({ max: 40 })).toEqual([]);

  await holder.client.lock.release({ keys: [key] });

  let begun = 0;
  await eventually(async () => {
    begun += (await agent.claim({ max: 40 })).length;
    expect(begun).toBe(24);
  });
});

test('a queue has a maximum, for a key and for a session; who comes to a full one is told to come again', async () => {
  await using small = await startDaemon({ config: { lockWaitersMax: 3 } });
  const [holder, one, two] = await Promise.all([small.connectAgent(), small.connectAgent(), small.connectAgent()]);
  const [key, other] = [uniqueKey('full'), uniqueKey('other')];
  await holder.client.lock.acquire({ keys: [{ key }, { key: other }] });
  const wait = ({ client }: typeof one, key: string) => refusalOf(client.lock.acquire({ keys: [{ key }], waitMs: 30_000 }));
  const waiting = [wait(one, key), wait(one, key), wait(one, other)];
  await eventually(async () => {
    expect((await small.client.lock.get({ key })).waiters).toHaveLength(2);
    expect((await small.client.lock.get({ key: other })).waiters).toHaveLength(1);
  });
  waiting.push(wait(two, key));
  await eventually(async () => expect((await small.client.lock.get({ key })).waiters).toHaveLength(3));

  const ofSession = await refusalOf(one.client.lock.acquire({ keys: [{ key: other }], waitMs: 1_000 }));
  const ofKey = await refusalOf(two.client.lock.acquire({ keys: [{ key }], waitMs: 1_000 }));
  const withoutWaiting = await outcomeOf(two.client.lock.acquire({ keys: [{ key }] }));
  await holder.client.lock.release({});

  expect(ofSession).toMatchObject({ kind: 'overloaded', setting: 'lockWaitersMax', limit: 3 });
  expect(ofKey).toMatchObject({ kind: 'overloaded', setting: 'lockWaitersMax', key });
  expect(withoutWaiting).toBe('lock_conflict');
  await holder.client.lock.release({});
  for (const agent of [one, two]) await agent.client.agent.deregister({});
  await Promise.all(waiting);
});
