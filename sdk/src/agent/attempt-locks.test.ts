import { expect, test } from 'vitest';
import { createAttemptLocks } from './attempt-locks.ts';
import { answeringClient, newClaim } from './client-fixture.ts';

const open = (claim = newClaim({ timeoutMs: 45_000 }), signal = new AbortController().signal) => {
  let fence = 0;
  const { client, calls } = answeringClient({
    'lock/acquire': ({ keys }: { keys: { key: string }[] }) => ({
      locks: keys.map(({ key }) => ({ key, mode: 'exclusive', fence: ++fence })),
      waitedMs: 0,
    }),
    'lock/release': ({ keys }: { keys: string[] }) => ({ released: keys.length }),
  });
  return { locks: createAttemptLocks({ claim, client, signal }), calls, claim };
};

test('a lock is asked for in the name of the attempt, for as long as it may take, and given back at the end of the block', async () => {
  const { locks, calls, claim } = open();
  const holder = { taskId: claim.taskId, attempt: 1 };

  {
    await using lock = await locks.acquire(['db:dev', { key: 'port:1', mode: 'shared' }]);
    expect(lock.fence).toBe(1);
    expect(lock.fences).toEqual({ 'db:dev': 1, 'port:1': 2 });
  }

  expect(calls).toEqual([
    {
      method: 'lock/acquire',
      params: { keys: [{ key: 'db:dev' }, { key: 'port:1', mode: 'shared' }], waitMs: 30_000, ttlMs: 45_000, ...holder },
    },
    { method: 'lock/release', params: { keys: ['db:dev', 'port:1'], ...holder } },
  ]);
});

test('a lock that the task declared is not given back by a block that took it too', async () => {
  const claim = newClaim({ locks: [{ key: 'db:dev', mode: 'exclusive', fence: 7 }] });
  const { locks, calls } = open(claim);

  await (await locks.acquire('db:dev')).release();

  expect(calls.map(({ method }) => method)).toEqual(['lock/acquire']);
});

test('a lock that is held twice is given back by the last to let go, once', async () => {
  const { locks, calls } = open();
  const outer = await locks.acquire('db:dev');
  const inner = await locks.acquire('db:dev');

  await inner.release();
  await inner.release();
  expect(calls.filter(({ method }) => method === 'lock/release')).toHaveLength(0);
  await outer.release();

  expect(calls.filter(({ method }) => method === 'lock/release')).toHaveLength(1);
});

test('the signal of a lost lock aborts, and that of another does not', async () => {
  const { locks } = open();
  const lost = await locks.acquire('db:dev');
  const kept = await locks.acquire('port:1');

  locks.lose('db:dev', lost.fence);
  locks.lose('port:1', 99);

  expect([lost.signal.aborted, kept.signal.aborted]).toEqual([true, false]);
});

test('of a range the lock names the member, and gives that back', async () => {
  const { client, calls } = answeringClient({
    'lock/acquire': (_: unknown) => ({
      locks: [{ key: 'port:3007', mode: 'exclusive', fence: 9, requested: 'port:3000-3100' }],
      waitedMs: 0,
    }),
    'lock/check': ({ fence }: { fence: number }) => ({ valid: fence === 9 }),
    'lock/release': (_: unknown) => ({ released: 1 }),
  });
  const locks = createAttemptLocks({ claim: newClaim({}), client, signal: new AbortController().signal });

  const lock = await locks.acquire('port:3000-3100');
  const isHeld = await lock.check();
  await lock.release();

  expect(lock).toMatchObject({ fence: 9, keys: ['port:3007'], fences: { 'port:3007': 9 } });
  expect(isHeld).toBe(true);
  expect(calls.at(-1)?.params).toMatchObject({ keys: ['port:3007'] });
});
