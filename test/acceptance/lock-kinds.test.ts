import { CoordinatorError } from '@baton/protocol';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { eventually } from '../support/eventually.ts';
import type { TestAgent } from '../support/test-agent.ts';
import { outcomeOf, setUpBench } from '../support/work.ts';

let daemon: Daemon;
let a: TestAgent;
let b: TestAgent;
beforeAll(async () => {
  // The sweeper is slow, so that nobody is served by it whom a release has forgotten.
  daemon = await startDaemon({ config: { sweepMs: 60_000 } });
  [a, b] = await Promise.all([daemon.connectAgent({ name: 'agent-a' }), daemon.connectAgent({ name: 'agent-b' })]);
});
afterAll(() => daemon.stop());

let count = 0;
/** A folder, pool or space that no other test uses. */
const newName = () => `n${(count += 1)}`;

const acquire = ({ client }: TestAgent, key: string, options: { places?: number; waitMs?: number } = {}) => {
  const { places, ...rest } = options;
  return client.lock.acquire({ keys: [{ key, ...(places !== undefined && { places }) }], ...rest });
};
const release = ({ client }: TestAgent, key: string) => client.lock.release({ keys: [key] });
const refusalOf = (call: Promise<unknown>) =>
  call.then(
    () => undefined,
    (error: unknown) => (error instanceof CoordinatorError ? { kind: error.kind, ...error.data } : error),
  );
const getLock = (key: string) => daemon.client.lock.get({ key });

describe('a pattern of files', () => {
  test('keeps out what meets it, and the refusal names the key that is held, its holder and a path of both', async () => {
    const folder = newName();
    await acquire(a, `file:${folder}/*/a.ts`);

    const refusal = await refusalOf(acquire(b, `file:${folder}/x/*.ts`));
    const apart = await acquire(b, `file:${folder}/x/b.ts`);

    expect(refusal).toMatchObject({
      kind: 'lock_conflict',
      key: `file:${folder}/*/a.ts`,
      requested: `file:${folder}/x/*.ts`,
      witness: `${folder}/x/a.ts`,
      holders: [{ agentName: 'agent-a' }],
    });
    expect(apart.locks).toHaveLength(1);
  });

  test('a file that is held keeps a pattern out, which is granted when the file is released', async () => {
    const folder = newName();
    await acquire(a, `file:${folder}/a.ts`);
    const waiting = acquire(b, `file:${folder}/**`, { waitMs: 20_000 });
    await eventually(async () => expect((await getLock(`file:${folder}/a.ts`)).waiters).toMatchObject([{ key: `file:${folder}/**` }]));

    await release(a, `file:${folder}/a.ts`);

    expect((await waiting).locks).toMatchObject([{ key: `file:${folder}/**` }]);
    expect((await getLock(`file:${folder}/a.ts`)).holders).toMatchObject([{ agentName: 'agent-b', key: `file:${folder}/**` }]);
  });

  test('K16 the fence of who comes later is higher, whichever of them has the pattern, and a covered file is checked by it', async () => {
    const folder = newName();
    const [pattern, file] = [`file:${folder}/*.ts`, `file:${folder}/a.ts`];
    const wide = (await acquire(a, pattern)).locks[0]!.fence;
    const whileHeld = await daemon.client.lock.check({ key: file, fence: wide });
    const beside = await daemon.client.lock.check({ key: `file:${folder}/a.md`, fence: wide });
    await release(a, pattern);
    const plain = (await acquire(b, file)).locks[0]!.fence;
    const late = await daemon.client.lock.check({ key: file, fence: wide });
    await release(b, file);
    const again = (await acquire(a, pattern)).locks[0]!.fence;

    expect([whileHeld.valid, beside.valid, late.valid]).toEqual([true, false, false]);
    expect(plain).toBeGreaterThan(wide);
    expect(again).toBeGreaterThan(plain);
  });

  test('what is no pattern of ours is refused with what to write instead', async () => {
    expect(await refusalOf(acquire(a, 'file:src/@(a|b).ts'))).toMatchObject({
      kind: 'lock_key_invalid',
      message: expect.stringMatching(/\{a,b\}/) as string,
    });
  });
});

describe('a key with several places', () => {
  test('is held by so many at once; the next waits, and gets a place when one is free', async () => {
    const key = `pool:${newName()}`;
    await daemon.client.lock.define({ key, places: 2 });
    await acquire(a, key);
    await acquire(b, key);
    const c = await daemon.connectAgent();

    const refusal = await refusalOf(acquire(c, key));
    const waiting = acquire(c, key, { waitMs: 20_000 });
    await eventually(async () => expect((await getLock(key)).waiters).toHaveLength(1));
    await release(b, key);

    expect(refusal).toMatchObject({ kind: 'lock_conflict', key, places: 2, holders: [{}, {}] });
    expect((await waiting).locks).toHaveLength(1);
    expect(await getLock(key)).toMatchObject({ places: 2, holders: [{}, {}], waiters: [] });
  });

  test('fewer places than are held take effect as holders leave, and more at once', async () => {
    const key = `pool:${newName()}`;
    await daemon.client.lock.define({ key, places: 2 });
    const [c, d] = [await daemon.connectAgent(), await daemon.connectAgent()];
    await acquire(a, key);
    await acquire(b, key);

    await daemon.client.lock.define({ key, places: 1 });
    await release(a, key);
    const whileOneIsHeld = await outcomeOf(acquire(c, key));
    const waiting = acquire(d, key, { waitMs: 20_000 });
    await eventually(async () => expect((await getLock(key)).waiters).toHaveLength(1));
    await daemon.client.lock.define({ key, places: 3 });

    expect(whileOneIsHeld).toBe('lock_conflict');
    expect((await waiting).locks).toHaveLength(1);
  });

  test('more places than it has are refused at once, and a pattern has none', async () => {
    const key = `pool:${newName()}`;

    expect(await outcomeOf(acquire(a, key, { places: 2, waitMs: 20_000 }))).toBe('lock_key_invalid');
    expect(await outcomeOf(daemon.client.lock.define({ key: 'file:src/*', places: 2 }))).toBe('lock_key_invalid');
    expect(await outcomeOf(daemon.client.lock.define({ key: 'port:1-3', places: 2 }))).toBe('lock_key_invalid');
  });

  test('is listed while nobody holds it', async () => {
    const key = `pool:${newName()}`;
    await daemon.client.lock.define({ key, places: 7 });

    expect((await daemon.client.lock.list({ limit: 1_000 })).locks).toContainEqual({ key, fence: 0, places: 7, holders: [], waiters: [] });
  });
});

describe('a range', () => {
  test('is granted as its lowest free member, which renew, check and release take by its name', async () => {
    const space = newName();
    const range = `${space}:3000-3002`;
    await acquire(a, `${space}:3000`);

    const { locks } = await acquire(b, range);
    const member = locks[0]!.key;
    const renewed = await b.client.lock.renew({ keys: [member] });
    const checked = await daemon.client.lock.check({ key: member, fence: locks[0]!.fence });

    expect(locks).toMatchObject([{ key: `${space}:3001`, requested: range }]);
    expect(renewed.locks).toEqual(locks);
    expect(checked).toEqual({ valid: true });
    expect(await release(b, member)).toEqual({ released: 1 });
    expect((await acquire(b, range)).locks).toMatchObject([{ key: `${space}:3001` }]);
    expect(await release(b, range)).toEqual({ released: 1 });
  });

  test('one that is used up is waited for, until any of its members is free', async () => {
    const space = newName();
    const range = `${space}:1-2`;
    await acquire(a, `${space}:1`);
    await acquire(a, `${space}:2`);
    const waiting = acquire(b, range, { waitMs: 20_000 });
    await eventually(async () => expect((await getLock(`${space}:2`)).waiters).toHaveLength(1));

    await release(a, `${space}:2`);

    expect((await waiting).locks).toMatchObject([{ key: `${space}:2`, requested: range }]);
    expect(await refusalOf(acquire(await daemon.connectAgent(), range))).toMatchObject({
      kind: 'lock_conflict',
      key: range,
      holders: [{}, {}],
    });
  });

  test('two members are asked for as two places', async () => {
    const space = newName();

    const { locks } = await acquire(a, `${space}:1-3`, { places: 2 });

    expect(locks.map(({ key }) => key)).toEqual([`${space}:1`, `${space}:2`]);
  });
});

describe('the locks that a task declares', () => {
  test.each([
    {
      what: 'a pattern',
      held: 'file:NAME/x/a.ts',
      declared: { key: 'file:NAME/*/a.ts' },
      granted: 'file:NAME/*/a.ts',
      waitsFor: 'file:NAME/x/a.ts',
    },
    {
      what: 'a file of a pattern',
      held: 'file:NAME/**',
      declared: { key: 'file:NAME/a.ts' },
      granted: 'file:NAME/a.ts',
      waitsFor: 'file:NAME/**',
    },
    { what: 'a range', held: 'NAME:4-4', declared: { key: 'NAME:4-4' }, granted: 'NAME:4', waitsFor: 'NAME:4-4' },
  ])('may be $what: the task waits, and is handed out when it is free', async ({ held, declared, granted, waitsFor }) => {
    const name = newName();
    const named = (key: string) => key.replace('NAME', name);
    const { agent, submit } = await setUpBench(daemon);
    await acquire(a, named(held));
    const [taskId] = await submit({ locks: [{ key: named(declared.key) }] });

    const meanwhile = await agent.claim();
    const waiting = await daemon.client.task.get({ taskId: taskId! });
    const later = agent.claimOne();
    await a.client.lock.release({});

    expect(meanwhile).toEqual([]);
    expect(waiting).toMatchObject({ state: 'ready', waitingForKey: named(waitsFor) });
    expect(await later).toMatchObject({ taskId, locks: [{ key: named(granted) }] });
  });

  test('of tasks that share a key with two places, two are handed out', async () => {
    const key = `pool:${newName()}`;
    await daemon.client.lock.define({ key, places: 2 });
    const { type, submit } = await setUpBench(daemon);
    const agent = await daemon.connectAgent({ capabilities: [type], capacity: 5 });
    await submit({ locks: [{ key }] }, { locks: [{ key }] }, { locks: [{ key }] });

    const claims = await agent.claim({ max: 5 });
    const more = await agent.claim({ max: 5 });
    const last = agent.claimOne();
    await agent.complete(claims[0]!);

    expect([claims.length, more.length]).toEqual([2, 0]);
    expect((await last).locks).toMatchObject([{ key }]);
  });

  test('of a range each task is given a member of its own', async () => {
    const space = newName();
    const { type, submit } = await setUpBench(daemon);
    const agent = await daemon.connectAgent({ capabilities: [type], capacity: 5 });
    const locks = [{ key: `${space}:1-9` }];
    await submit({ locks }, { locks }, { locks });

    const claims = await agent.claim({ max: 3 });

    expect(claims.flatMap((claim) => claim.locks.map(({ key, requested }) => `${key} of ${requested}`)).toSorted()).toEqual([
      `${space}:1 of ${space}:1-9`,
      `${space}:2 of ${space}:1-9`,
      `${space}:3 of ${space}:1-9`,
    ]);
  });
});

test('of many calls at once each has its own outcome, in the order of their arrival', async () => {
  const space = newName();
  const key = `${space}:shared-by-all`;
  const { client } = a;
  await acquire(a, `${space}:held`);
  const stale = { taskId: crypto.randomUUID(), attempt: 1 };

  const outcomes = await Promise.all([
    client.lock.acquire({ keys: [{ key }] }).then(({ locks }) => locks[0]!.fence),
    outcomeOf(b.client.lock.acquire({ keys: [{ key: `${space}:held` }] })),
    outcomeOf(client.lock.acquire({ keys: [{ key: `${space}:other` }], ...stale })),
    client.lock.renew({ keys: [key] }).then(({ locks }) => locks[0]!.fence),
    client.lock.release({ keys: [key] }).then(({ released }) => released),
    client.lock.release({ keys: [key] }).then(({ released }) => released),
    client.lock.acquire({ keys: [{ key }] }).then(({ locks }) => locks[0]!.fence),
  ]);

  expect(outcomes).toEqual([1, 'lock_conflict', 'claim_stale', 1, 1, 0, 2]);
});
