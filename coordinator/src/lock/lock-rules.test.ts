import { describe, expect, test } from 'vitest';
import { decide, type Grant, type Holder, type LockTable, normaliseKey, normaliseRequests, type Want } from './lock-rules.ts';

const holder = (name: string): Holder => ({ sessionId: name, agentId: name, agentName: name });
const held = (by: Holder, key: string, mode: Grant['mode'], fence: number): Grant => ({
  ...by,
  agentName: 'x',
  id: `${by.sessionId}-${key}`,
  key,
  mode,
  fence,
});
const table = (grants: Grant[], waits: LockTable['waits'] = []): LockTable => ({
  fences: new Map([
    ['db:a', 7],
    ['db:b', 3],
  ]),
  grants,
  waits,
});
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

  test('a free key is granted with the next fence', () => {
    const locks = table([]);

    expect(decide(locks, want(ada, [exclusive('db:a')]), newId)).toMatchObject({ granted: [{ key: 'db:a', mode: 'exclusive', fence: 8 }] });
    expect(locks.fences.get('db:a')).toBe(8);
  });

  test('all keys are granted or none, and a refusal leaves the table as it was', () => {
    const locks = table([held(bob, 'db:b', 'exclusive', 3)]);

    expect(decide(locks, want(ada, [exclusive('db:a'), exclusive('db:b')]), newId)).toEqual({ blockedBy: 'db:b' });
    expect(locks.fences.get('db:a')).toBe(7);
    expect(locks.grants).toHaveLength(1);
  });

  test('two wants on one table: the second sees what the first was given', () => {
    const locks = table([]);
    decide(locks, want(ada, [exclusive('db:a')]), newId);

    expect(decide(locks, want(bob, [exclusive('db:a')]), newId)).toEqual({ blockedBy: 'db:a' });
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
      granted: [{ mode: 'exclusive', fence: 8 }],
      replaced: [{ fence: 7 }],
    });
    expect(locks.grants.map(({ mode }) => mode)).toEqual(['exclusive']);
  });

  test('another attempt of the same session is another holder', () => {
    const first = { ...ada, taskId: 't', attempt: 1 };

    expect(
      decide(table([held(first, 'db:a', 'exclusive', 7)]), want({ ...ada, taskId: 't', attempt: 2 }, [exclusive('db:a')]), newId),
    ).toEqual({ blockedBy: 'db:a' });
  });
});

describe('the queue', () => {
  const waiting = (mode: 'exclusive' | 'shared', requestId: string) => ({ key: 'db:a', mode, requestId });

  test('a newcomer does not overtake whoever waits', () => {
    expect(decide(table([], [waiting('exclusive', 'r1')]), want(ada, [shared('db:a')]), newId)).toEqual({ blockedBy: 'db:a' });
  });

  test('shared behind shared is no overtaking', () => {
    const locks = table([held(bob, 'db:a', 'shared', 7)], [waiting('shared', 'r1')]);

    expect('granted' in decide(locks, want(ada, [shared('db:a')]), newId)).toBe(true);
  });

  test('the first in the queue is served, the second is not', () => {
    const waits = [waiting('exclusive', 'r1'), waiting('exclusive', 'r2')];

    expect('granted' in decide(table([], waits), want(ada, [exclusive('db:a')], 'r1'), newId)).toBe(true);
    expect(decide(table([], waits), want(ada, [exclusive('db:a')], 'r2'), newId)).toEqual({ blockedBy: 'db:a' });
  });
});

describe('keys', () => {
  test.each([
    ['file:src/a.ts', 'file:src/a.ts'],
    ['file:./src//a.ts', 'file:src/a.ts'],
    ['file:src/x/../a.ts', 'file:src/a.ts'],
    [String.raw`file:src\a.ts`, 'file:src/a.ts'],
    ['port:5432', 'port:5432'],
  ])('%s is %s', (key, canonical) => expect(normaliseKey(key)).toBe(canonical));

  test.each(['file:../secret', 'file:.', 'file:src/*.ts', 'file:src/{a,b}.ts'])('%s is refused', (key) => {
    expect(() => normaliseKey(key)).toThrow(expect.objectContaining({ kind: 'lock_key_invalid' }) as Error);
  });

  test('two ways of writing one file are one lock, the stronger mode wins, and keys are in order', () => {
    expect(normaliseRequests([shared('port:2'), shared('file:./a'), exclusive('file:a')])).toEqual([exclusive('file:a'), shared('port:2')]);
  });
});
