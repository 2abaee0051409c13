import { describe, expect, test } from 'vitest';
import { decide } from './lock-rules.ts';
import { createTable, removeWaits, type Grant, type Holder, type LockTable, type Wait, type Want } from './lock-table.ts';

const holder = (name: string): Holder => ({ sessionId: name, agentId: name, agentName: name });
const held = (by: Holder, key: string, mode: Grant['mode'], fence: number): Grant => ({
  ...by,
  agentName: 'x',
  id: `${by.sessionId}-${key}`,
  key,
  mode,
  fence,
  places: 1,
  heldMs: 0,
  expiresInMs: null,
});
const table = (grants: Grant[], waits: Wait[] = [], places: [string, number][] = []): LockTable =>
  createTable({ places: new Map(places), grants, waits });
const want = (by: Holder, keys: Want['keys'], requestId?: string): Want => ({
  holder: by,
  keys,
  ttlMs: 1_000,
  ...(requestId !== undefined && { requestId }),
});
const exclusive = (key: string) => ({ key, mode: 'exclusive' as const });
const shared = (key: string) => ({ key, mode: 'shared' as const });
const ada = holder('ada');
const bob = holder('bob');
const newId = () => 'new';

describe('whether a lock is granted', () => {
  test.each([
    ['shared', 'shared', true],
    ['shared', 'exclusive', false],
    ['exclusive', 'shared', false],
    ['exclusive', 'exclusive', false],
  ] as const)('held %s by another, wanted %s: %s', (mode, wanted, isGranted) => {
    const decision = decide(table([held(bob, 'db:a', mode, 7)]), want(ada, [{ key: 'db:a', mode: wanted }]), newId);

    expect('granted' in decision).toBe(isGranted);
  });

  test('a free key is granted, with a fence that is drawn when it is written', () => {
    expect(decide(table([]), want(ada, [exclusive('db:a')]), newId)).toMatchObject({
      granted: [{ key: 'db:a', mode: 'exclusive', fence: 0 }],
      made: [{ id: 'new', key: 'db:a' }],
    });
  });

  test('all keys are granted or none, and a refusal leaves the table as it was', () => {
    const locks = table([held(bob, 'db:b', 'exclusive', 3)]);

    expect(decide(locks, want(ada, [exclusive('db:a'), exclusive('db:b')]), newId)).toMatchObject({ blockedBy: 'db:b' });
    expect(locks.grants).toHaveLength(1);
  });

  test('two wants on one table: the second sees what the first was given', () => {
    const locks = table([]);
    decide(locks, want(ada, [exclusive('db:a')]), newId);

    expect(decide(locks, want(bob, [exclusive('db:a')]), newId)).toMatchObject({ blockedBy: 'db:a' });
  });

  test('the holder is no obstacle to itself, and keeps its fence', () => {
    const decision = decide(table([held(ada, 'db:a', 'exclusive', 7)]), want(ada, [exclusive('db:a')]), newId);

    expect(decision).toMatchObject({ granted: [{ fence: 7 }], made: [], extended: [{ fence: 7 }] });
  });

  test('an exclusive holder that asks for less keeps what it has', () => {
    const decision = decide(table([held(ada, 'db:a', 'exclusive', 7)]), want(ada, [shared('db:a')]), newId);

    expect(decision).toMatchObject({ granted: [{ mode: 'exclusive', fence: 7 }] });
  });

  test('the only shared holder may become exclusive, with a new fence', () => {
    const locks = table([held(ada, 'db:a', 'shared', 7)]);

    expect(decide(locks, want(ada, [exclusive('db:a')]), newId)).toMatchObject({
      granted: [{ mode: 'exclusive', fence: 0 }],
      replaced: [{ fence: 7 }],
    });
    expect(locks.grants.map(({ mode }) => mode)).toEqual(['exclusive']);
  });

  test('another attempt of the same session is another holder', () => {
    const first = { ...ada, taskId: 't', attempt: 1 };

    expect(
      decide(table([held(first, 'db:a', 'exclusive', 7)]), want({ ...ada, taskId: 't', attempt: 2 }, [exclusive('db:a')]), newId),
    ).toMatchObject({ blockedBy: 'db:a' });
  });
});

describe('the queue', () => {
  const waiting = (mode: 'exclusive' | 'shared', requestId: string) => ({ key: 'db:a', mode, places: 1, requestId });

  test('a newcomer does not overtake whoever waits', () => {
    expect(decide(table([], [waiting('exclusive', 'r1')]), want(ada, [shared('db:a')]), newId)).toMatchObject({ blockedBy: 'db:a' });
  });

  test('shared behind shared is no overtaking', () => {
    const locks = table([held(bob, 'db:a', 'shared', 7)], [waiting('shared', 'r1')]);

    expect('granted' in decide(locks, want(ada, [shared('db:a')]), newId)).toBe(true);
  });

  test('the first in the queue is served, the second is not', () => {
    const waits = [waiting('exclusive', 'r1'), waiting('exclusive', 'r2')];

    expect('granted' in decide(table([], waits), want(ada, [exclusive('db:a')], 'r1'), newId)).toBe(true);
    expect(decide(table([], waits), want(ada, [exclusive('db:a')], 'r2'), newId)).toMatchObject({ blockedBy: 'db:a' });
  });
});

describe('keys that meet', () => {
  const waiting = (key: string, requestId: string): Wait => ({ key, mode: 'exclusive', places: 1, requestId });

  test('a pattern that is held keeps out what meets it, and the answer names a path of both', () => {
    const locks = table([held(bob, 'file:src/*/a.ts', 'exclusive', 5)]);

    expect(decide(locks, want(ada, [exclusive('file:src/x/*.ts')]), newId)).toMatchObject({
      blockedBy: 'file:src/*/a.ts',
      requested: 'file:src/x/*.ts',
      witness: 'src/x/a.ts',
      blockers: [{ agentId: 'bob' }],
    });
    expect('granted' in decide(locks, want(ada, [exclusive('file:src/x/b.ts')]), newId)).toBe(true);
  });

  test('its holder takes a file of its own pattern, though another waits for that file', () => {
    const locks = table([held(ada, 'file:src/**', 'exclusive', 5)], [waiting('file:src/a.ts', 'r1')]);

    expect('granted' in decide(locks, want(ada, [exclusive('file:src/a.ts')]), newId)).toBe(true);
  });

  test('nobody overtakes who waits for what meets', () => {
    const locks = table([], [waiting('file:src/**', 'r1')]);

    expect(decide(locks, want(ada, [exclusive('file:src/a.ts')]), newId)).toMatchObject({ blockedBy: 'file:src/**', witness: 'src/a.ts' });
    expect('granted' in decide(locks, want(ada, [exclusive('file:docs/a.md')]), newId)).toBe(true);
  });
});

describe('a key with several places', () => {
  const pool = (grants: Grant[], waits: Wait[] = []) => table(grants, waits, [['db:a', 4]]);
  const some = (places: number) => [{ key: 'db:a', mode: 'exclusive' as const, places }];

  test.each([
    [3, 1, true],
    [3, 2, false],
    [4, 1, false],
    [5, 1, false],
    [0, 4, true],
  ])('of 4 places %i are held, %i more are wanted: %s', (used, wanted, isGranted) => {
    const grants = Array.from({ length: used }, (_, index) => held(holder(`h${index}`), 'db:a', 'exclusive', index + 1));

    expect('granted' in decide(pool(grants), want(ada, some(wanted)), newId)).toBe(isGranted);
  });

  test('its holder asks for a number in total, not for more', () => {
    const mine = { ...held(ada, 'db:a', 'exclusive', 1), places: 2 };

    expect(decide(pool([mine]), want(ada, some(2)), newId)).toMatchObject({ extended: [{ places: 2 }], made: [] });
    expect(decide(pool([mine]), want(ada, some(3)), newId)).toMatchObject({ made: [{ places: 3 }], replaced: [{ places: 2 }] });
  });

  test('who wants one place does not overtake who waits for three', () => {
    const locks = pool(
      [{ ...held(bob, 'db:a', 'exclusive', 1), places: 2 }],
      [{ key: 'db:a', mode: 'exclusive', places: 3, requestId: 'r1' }],
    );

    expect(decide(locks, want(ada, some(1)), newId)).toMatchObject({ blockedBy: 'db:a' });
  });

  test('who waits for more than there are any longer holds nobody up', () => {
    const locks = pool([], [{ key: 'db:a', mode: 'exclusive', places: 5, requestId: 'r1' }]);

    expect('granted' in decide(locks, want(ada, some(1)), newId)).toBe(true);
  });
});

describe('a range', () => {
  const range = 'port:1-3';
  const waiting = (key: string, requestId: string): Wait => ({ key, mode: 'exclusive', places: 1, requestId });

  test('is granted as its lowest free member, which the answer names', () => {
    const locks = table([held(bob, 'port:1', 'exclusive', 4)]);

    expect(decide(locks, want(ada, [exclusive(range)]), newId)).toMatchObject({ granted: [{ key: 'port:2', requested: range }] });
  });

  test('is used up when all its members are held, by whatever name', () => {
    const locks = table([1, 2, 3].map((port) => held(bob, `port:${port}`, 'exclusive', 1)));

    expect(decide(locks, want(ada, [exclusive(range)]), newId)).toMatchObject({ blockedBy: range, blockers: [{}, {}, {}] });
  });

  test('gives its holder the member that it has, and another one when it asks for two', () => {
    const mine = { ...held(ada, 'port:2', 'exclusive', 1), requested: range };

    expect(decide(table([mine]), want(ada, [exclusive(range)]), newId)).toMatchObject({ granted: [{ key: 'port:2' }], made: [] });
    expect(decide(table([mine]), want(ada, [{ ...exclusive(range), places: 2 }]), newId)).toMatchObject({ made: [{ key: 'port:1' }] });
  });

  test('leaves out a member that is wanted by its name beside it', () => {
    expect(decide(table([]), want(ada, [exclusive(range), exclusive('port:1')]), newId)).toMatchObject({
      granted: [{ key: 'port:1' }, { key: 'port:2', requested: range }],
    });
  });

  test('leaves those who wait what they wait for, and no more', () => {
    const locks = () => table([], [waiting(range, 'r1'), waiting('port:2', 'r2')]);

    expect(decide(locks(), want(ada, [exclusive(range)]), newId)).toMatchObject({ granted: [{ key: 'port:3' }] });
    expect(decide(locks(), want(ada, [exclusive('port:1')]), newId)).toMatchObject({ blockedBy: range, witness: '1' });
    expect('granted' in decide(locks(), want(ada, [exclusive('port:3')]), newId)).toBe(true);
  });
});

describe('what a holder has already', () => {
  const mine = (mode: Grant['mode'], expiresInMs: number | null): Grant => ({ ...held(ada, 'db:a', mode, 7), expiresInMs });

  test.each([
    [60_000, 60_000],
    [500, 1_000],
    [null, null],
  ])('with %s ms left it lives for %s ms when it is upgraded for 1000', (left, lives) => {
    expect(decide(table([mine('shared', left)]), want(ada, [exclusive('db:a')]), newId)).toMatchObject({ made: [{ expiresInMs: lives }] });
  });

  test('belongs to no request any more once it is asked for again, and what takes its place to none', () => {
    const waiting = { ...mine('shared', 500), requestId: 'r1' };
    const upgraded = decide(table([{ ...waiting }]), want(ada, [exclusive('db:a')], 'r2'), newId);
    const extended = decide(table([{ ...waiting }]), want(ada, [shared('db:a')], 'r2'), newId);
    const fresh = decide(table([]), want(ada, [exclusive('db:a')], 'r2'), newId);

    expect(upgraded).toMatchObject({ made: [{ requestId: undefined }] });
    expect(extended).toMatchObject({ extended: [{ requestId: undefined }] });
    expect(fresh).toMatchObject({ made: [{ requestId: 'r2' }] });
  });

  test('of a range is upgraded where it is, and only if nobody else shares it', () => {
    const member = { ...held(ada, 'port:2', 'shared', 3), requested: 'port:1-3' };

    expect(decide(table([member]), want(ada, [exclusive('port:1-3')]), newId)).toMatchObject({
      granted: [{ key: 'port:2', mode: 'exclusive', requested: 'port:1-3' }],
      replaced: [{ fence: 3 }],
    });
    expect(decide(table([member, held(bob, 'port:2', 'shared', 4)]), want(ada, [exclusive('port:1-3')]), newId)).toMatchObject({
      blockedBy: 'port:2',
    });
    expect(decide(table([member]), want(ada, [exclusive('port:1-3'), exclusive('port:2')]), newId)).toMatchObject({
      granted: [{ key: 'port:2', mode: 'exclusive' }],
    });
  });
});

test('who waits for ranges is kept the lowest free members in the order of arrival, also after some were granted', () => {
  const waits = ['r1', 'r2', 'r3'].map((requestId): Wait => ({ key: 'port:1-9', mode: 'exclusive', places: 2, requestId }));
  const locks = table([held(bob, 'port:2', 'exclusive', 1)], waits);
  const range = [{ ...exclusive('port:1-9'), places: 2 }];
  const keysOf = (decision: ReturnType<typeof decide>) =>
    'granted' in decision ? decision.granted.map(({ key }) => key) : decision.blockedBy;
  let made = 0;
  const nextId = () => `g${(made += 1)}`;

  expect(keysOf(decide(locks, want(holder('third'), range, 'r3'), nextId))).toEqual(['port:6', 'port:7']);
  removeWaits(locks, 'r3');
  expect(keysOf(decide(locks, want(holder('first'), range, 'r1'), nextId))).toEqual(['port:1', 'port:3']);
  removeWaits(locks, 'r1');
  expect(keysOf(decide(locks, want(holder('second'), range, 'r2'), nextId))).toEqual(['port:4', 'port:5']);
  removeWaits(locks, 'r2');
  expect(keysOf(decide(locks, want(holder('late'), range), nextId))).toEqual(['port:8', 'port:9']);
});
