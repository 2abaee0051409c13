import { z } from 'zod';
import { event, method, notification, readParams, writeParams } from './define.ts';
import { ids } from './story/cast.ts';
import { heldDatabase, heldPort } from './story/lock.ts';
import { id, limit, waitMs } from './values.ts';

export const lockModes = ['exclusive', 'shared'] as const;
export const lockMode = z.enum(lockModes).meta({ id: 'LockMode' });
export type LockMode = z.infer<typeof lockMode>;

/** `space:resource`, such as `file:src/a.ts`, `port:5432` or `db:dev`. */
export const lockKey = z
  .string()
  .max(512)
  .regex(/^[a-z][a-z0-9-]*:[^\s].*$/, 'A lock key is `space:resource`, such as file:src/a.ts or port:5432.')
  .meta({ id: 'LockKey' });

export const lockRequest = z.strictObject({ key: lockKey, mode: lockMode.default('exclusive') }).meta({ id: 'LockRequest' });
export type LockRequest = z.infer<typeof lockRequest>;

/** The fence only ever grows for a key: a resource that remembers the highest it has seen can refuse a stale writer. */
export const grantedLock = z.object({ key: z.string(), mode: lockMode, fence: z.int() }).meta({ id: 'GrantedLock' });
export type GrantedLock = z.infer<typeof grantedLock>;

export const lockHolder = z
  .object({
    agentId: id,
    agentName: z.string(),
    sessionId: id,
    taskId: id.optional(),
    attempt: z.int().optional(),
    mode: lockMode,
    fence: z.int(),
    heldMs: z.number(),
    /** Absent where the lock lives as long as the attempt that holds it. */
    expiresInMs: z.number().optional(),
  })
  .meta({ id: 'LockHolder' });

export const lockWaiter = z
  .object({ agentId: id.optional(), agentName: z.string().optional(), taskId: id.optional(), mode: lockMode, waitingMs: z.number() })
  .meta({ id: 'LockWaiter' });

export const lock = z
  .object({ key: z.string(), fence: z.int(), holders: z.array(lockHolder), waiters: z.array(lockWaiter) })
  .meta({ id: 'Lock' });
export type Lock = z.infer<typeof lock>;

/** The attempt for which the lock is held; it ends with it. Without one the lock belongs to the session alone. */
const holder = { taskId: id.optional(), attempt: z.int().min(1).optional() };
const keys = z.array(lockKey).min(1).max(100);

export const lockMethods = {
  'lock/acquire': method({
    summary:
      'Takes all of the keys or none, waiting up to `waitMs` in the order of arrival. Holding one already is no obstacle to its holder.',
    access: 'work',
    session: true,
    idempotent: false,
    params: writeParams({
      keys: z.array(lockRequest).min(1).max(100),
      ttlMs: z.int().min(100).max(86_400_000).default(60_000),
      waitMs: waitMs.default(0),
      ...holder,
    }),
    result: z.object({ locks: z.array(grantedLock), waitedMs: z.number() }),
    errors: ['lock_conflict', 'lock_key_invalid', 'claim_stale', 'session_unknown'],
    example: {
      params: { keys: [{ key: 'db:test' }, { key: 'port:5432', mode: 'shared' }], ttlMs: 30_000, waitMs: 5_000 },
      result: {
        locks: [
          { key: 'db:test', mode: 'exclusive', fence: 1 },
          { key: 'port:5432', mode: 'shared', fence: 1 },
        ],
        waitedMs: 0,
      },
    },
  }),
  'lock/renew': method({
    summary: 'Sets the time to live of locks anew. A lock that has expired cannot be renewed.',
    access: 'work',
    session: true,
    idempotent: true,
    params: writeParams({ keys, ttlMs: z.int().min(100).max(86_400_000).default(60_000), ...holder }),
    result: z.object({ locks: z.array(grantedLock) }),
    errors: ['lock_lost', 'lock_key_invalid', 'session_unknown'],
    example: {
      params: { keys: ['db:test', 'port:5432'], ttlMs: 30_000 },
      result: {
        locks: [
          { key: 'db:test', mode: 'exclusive', fence: 1 },
          { key: 'port:5432', mode: 'shared', fence: 1 },
        ],
      },
    },
  }),
  'lock/release': method({
    summary: 'Gives locks back and hands them to who waits, in one transaction. What is not held any more is passed over.',
    access: 'work',
    session: true,
    idempotent: true,
    params: writeParams({ keys: keys.optional(), ...holder }),
    result: z.object({ released: z.int() }),
    errors: ['lock_key_invalid', 'session_unknown'],
    example: {
      params: { keys: ['db:test', 'port:5432'] },
      result: { released: 2 },
    },
  }),
  'lock/check': method({
    summary: 'Tells whether a fence is the current one of its key, so that a resource can refuse a stale writer.',
    access: 'read',
    session: false,
    idempotent: true,
    params: readParams({ key: lockKey, fence: z.int().min(1) }),
    result: z.object({ valid: z.boolean() }),
    errors: ['lock_key_invalid'],
    example: {
      params: { key: 'db:test', fence: 1 },
      result: { valid: true },
    },
  }),
  'lock/get': method({
    summary: 'Returns who holds a key and who waits for it.',
    access: 'read',
    session: false,
    idempotent: true,
    params: readParams({ key: lockKey }),
    result: lock,
    errors: ['lock_key_invalid'],
    example: {
      params: { key: 'db:test' },
      result: heldDatabase,
    },
  }),
  'lock/list': method({
    summary: 'Lists the keys that are held or waited for.',
    access: 'read',
    session: false,
    idempotent: true,
    params: readParams({ taskId: id.optional(), agentId: id.optional(), limit: limit.default(100) }),
    result: z.object({ locks: z.array(lock) }),
    errors: [],
    example: {
      params: { agentId: ids.agent },
      result: { locks: [heldDatabase, heldPort] },
    },
  }),
};

export const lockEvents = {
  'lock.expired': event({
    summary: 'A lock was not renewed in time and is free again.',
    data: z.object({ key: z.string(), fence: z.int(), agentId: id, agentName: z.string(), taskId: id.optional() }),
  }),
};

export const lockNotifications = {
  'lock/lost': notification({
    summary: 'A lock of this session is no longer held.',
    params: z.object({ key: z.string(), fence: z.int(), reason: z.enum(['expired', 'session_ended', 'attempt_ended']) }),
  }),
};
