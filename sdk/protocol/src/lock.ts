import { z } from 'zod';
import { event, method, notification, readParams, writeParams } from './define.ts';
import { ids } from './story/cast.ts';
import { definedPool, heldDatabase, heldPort } from './story/lock.ts';
import { id, limit, waitMs } from './values.ts';

export const lockModes = ['exclusive', 'shared'] as const;
export const lockMode = z.enum(lockModes).meta({ id: 'LockMode', description: 'One holder alone, or any number of those who share it.' });
export type LockMode = z.infer<typeof lockMode>;

export const lockKey = z
  .string()
  .max(512)
  .regex(/^[a-z][a-z0-9-]*:[^\s].*$/, 'A lock key is `space:resource`, such as file:src/a.ts or port:5432.')
  .meta({
    id: 'LockKey',
    description:
      '`space:resource`, such as `file:src/a.ts`, `port:5432` or `db:dev`. A `file:` key may be a pattern (`*`, `?`, `**` as a segment, `[a-z]`, `[!a]`, `{a,b}`). In any other space `3000-3100` is a range, of which a request is granted a free member.',
  });

const places = z.int().min(1).max(10_000);

export const lockRequest = z
  .strictObject({
    key: lockKey,
    mode: lockMode.default('exclusive'),
    places: places
      .optional()
      .describe('How many places of a counting key, or members of a range, the holder is to have in total; one unless given.'),
  })
  .meta({ id: 'LockRequest', description: 'A key, and how it is to be held.' });
export type LockRequest = z.infer<typeof lockRequest>;

export const grantedLock = z
  .object({
    key: z.string(),
    mode: lockMode,
    fence: z.int(),
    places: places.optional().describe('How many places of the key are held, where it is more than one.'),
    requested: z.string().optional().describe('The range of which the key is a member, where one was asked for.'),
  })
  .meta({
    id: 'GrantedLock',
    description:
      'The fence only ever grows, for a key and for all patterns that it matches: a resource that remembers the highest it has seen can refuse a stale writer.',
  });
export type GrantedLock = z.infer<typeof grantedLock>;

export const lockHolder = z
  .object({
    agentId: id,
    agentName: z.string(),
    sessionId: id,
    taskId: id.optional(),
    attempt: z.int32().optional(),
    mode: lockMode,
    fence: z.int(),
    heldMs: z.number().describe('For how long it has been held.'),
    expiresInMs: z.number().optional().describe('Absent where the lock lives as long as the attempt that holds it.'),
    key: z.string().optional().describe('What it holds, where that is another key which covers or meets this one.'),
    places: places.optional().describe('How many places it holds, where it is more than one.'),
  })
  .meta({ id: 'LockHolder', description: 'Who holds a lock.' });
export type LockHolder = z.infer<typeof lockHolder>;

export const lockWaiter = z
  .object({
    agentId: id.optional(),
    agentName: z.string().optional(),
    taskId: id.optional(),
    mode: lockMode,
    waitingMs: z.number(),
    key: z.string().optional().describe('What it waits for, where that is another key which covers or meets this one.'),
  })
  .meta({ id: 'LockWaiter', description: 'Who waits for a lock: a session, or a task that declares it.' });

export const lock = z
  .object({
    key: z.string(),
    fence: z.int().describe('The highest that was ever granted; 0 where nobody has asked for it yet.'),
    holders: z.array(lockHolder),
    waiters: z.array(lockWaiter).describe('In the order of arrival.'),
    places: places.optional().describe('How many places it has, where it is more than one.'),
  })
  .meta({ id: 'Lock', description: 'The state of one key.' });
export type Lock = z.infer<typeof lock>;

const holder = {
  taskId: id
    .optional()
    .describe('The task for which the lock is held, and with which it ends. Without one it belongs to the session alone.'),
  attempt: z.int32().min(1).optional().describe('The attempt at this task.'),
};
const keys = z.array(lockKey).min(1).max(100);
const ttlMs = z.int().min(100).max(86_400_000).default(60_000).describe('When the lock ends by itself, in ms from now.');

export const lockMethods = {
  'lock/acquire': method({
    summary:
      'Takes all of the keys or none, waiting up to `waitMs` in the order of arrival. Holding one already is no obstacle to its holder. Of a range a free member is granted, which the answer names. Whoever would wait in a circle is refused at once: `lock_conflict` with `deadlock: true` and the `circle`.',
    access: 'work',
    session: true,
    idempotent: false,
    params: writeParams({
      keys: z.array(lockRequest).min(1).max(100),
      ttlMs,
      waitMs: waitMs.default(0),
      ...holder,
    }),
    result: z.object({ locks: z.array(grantedLock), waitedMs: z.number().describe('How long the call waited for them.') }),
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
  'lock/define': method({
    summary:
      'Says how many places a key has: so many may hold it exclusively at a time. A key that was never defined has one. Fewer than are held takes effect as holders leave.',
    access: 'operate',
    session: false,
    idempotent: true,
    params: writeParams({ key: lockKey.describe('Neither a pattern nor a range.'), places }),
    result: lock,
    errors: ['lock_key_invalid'],
    example: { params: { key: 'pool:gpu', places: 4 }, result: definedPool },
  }),
  'lock/renew': method({
    summary: 'Sets the time to live of locks anew. A lock that has expired cannot be renewed.',
    access: 'work',
    session: true,
    idempotent: true,
    params: writeParams({ keys, ttlMs, ...holder }),
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
    params: writeParams({ keys: keys.optional().describe('Without any, all that this holder has.'), ...holder }),
    result: z.object({ released: z.int().describe('How many were held.') }),
    errors: ['lock_key_invalid', 'session_unknown'],
    example: { params: { keys: ['db:test', 'port:5432'] }, result: { released: 2 } },
  }),
  'lock/check': method({
    summary:
      'Tells whether a fence is a current one of its key, or of a pattern that covers it, so that a resource can refuse a stale writer. Of a range name the member that was granted.',
    access: 'read',
    session: false,
    idempotent: true,
    params: readParams({ key: lockKey, fence: z.int().min(1).describe('As it was granted.') }),
    result: z.object({ valid: z.boolean().describe('It is held now, under this fence.') }),
    errors: ['lock_key_invalid'],
    example: { params: { key: 'db:test', fence: 1 }, result: { valid: true } },
  }),
  'lock/get': method({
    summary: 'Returns who holds a key and who waits for it, by a pattern or range that covers or meets it too.',
    access: 'read',
    session: false,
    idempotent: true,
    params: readParams({ key: lockKey }),
    result: lock,
    errors: ['lock_key_invalid'],
    example: { params: { key: 'db:test' }, result: heldDatabase },
  }),
  'lock/list': method({
    summary: 'Lists the keys that are held or waited for, and those that have several places.',
    access: 'read',
    session: false,
    idempotent: true,
    params: readParams({
      taskId: id.optional().describe('Only what this task holds or waits for.'),
      agentId: id.optional().describe('Only what this agent holds or waits for.'),
      limit: limit.default(100),
    }),
    result: z.object({ locks: z.array(lock) }),
    errors: [],
    example: { params: { agentId: ids.agent }, result: { locks: [heldDatabase, heldPort] } },
  }),
};

export const lockEvents = {
  'lock.defined': event({
    summary: 'A key has been given its number of places.',
    data: z.object({ key: z.string(), places: z.int() }),
  }),
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
