import type { Result } from '@baton/protocol';
import { expect } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import { answerOf, contestOf, kindOf, side } from '../contest.ts';
import type { Contest } from '../explorer.ts';
import { untilIdle } from '../gate.ts';
import { noPause, sweepLocks, sweepSessions } from '../sweepers.ts';
import type { Worker, World } from '../world.ts';

type Acquired = Result<'lock/acquire'>;

/** A key, who holds it with the fence 1, and who wants it. */
async function holdKey(world: World, { ttlMs = 30_000 } = {}) {
  const [holder, other] = [await world.createWorker(), await world.createWorker()];
  const key = `test:${crypto.randomUUID()}`;
  await holder.at(world.c).lock.acquire({ keys: [{ key }], ttlMs });
  return { holder, other, key, keys: [key], wanted: [{ key }] };
}

/** Who holds the key now, by the database's clock, with the fences. */
const holdersOf = (world: World, key: string) =>
  world.rows(
    `select session_id as "sessionId", fence::int from lock_grants
     where key = $1 and coalesce(expires_at, 'infinity') > test_clock.clock_timestamp() order by fence`,
    [key],
  );
const held = ({ session }: Worker, fence: number) => [{ sessionId: session.sessionId, fence }];

/** Of two who ask for a lock at once one gets it, and the fence rises by one, in every interleaving. */
export const acquireTwice = (world: World): Contest =>
  contestOf(world, async () => {
    const { holder, other, key, keys, wanted } = await holdKey(world);
    await holder.at(world.c).lock.release({ keys });
    return {
      sides: [
        side('one', world.a, () => holder.at(world.a).lock.acquire({ keys: wanted })),
        side('two', world.b, () => other.at(world.b).lock.acquire({ keys: wanted })),
      ],
      async check({ one, two }) {
        const kinds = [kindOf(one), kindOf(two)];
        expect(kinds.toSorted()).toEqual(['lock_conflict', 'ok']);
        expect(await holdersOf(world, key)).toEqual(held(kinds[0] === 'ok' ? holder : other, 2));
      },
    };
  });

/** L5 who asks for a lock while it is released gets it and is not forgotten, in every interleaving. */
export const acquireWhileReleasing = (world: World): Contest =>
  contestOf(world, async () => {
    const { holder, other, key, keys, wanted } = await holdKey(world);
    return {
      // What the sweeper does as soon as it hears that a lock is due.
      wake: () => sweepLocks(world.c),
      sides: [
        side('release', world.a, () => holder.at(world.a).lock.release({ keys })),
        side('acquire', world.b, () => other.at(world.b).lock.acquire({ keys: wanted, waitMs: 60_000 })),
      ],
      async check({ release, acquire }) {
        expect(answerOf(release)).toEqual({ released: 1 });
        expect((answerOf<Acquired>(acquire) as Acquired).locks).toMatchObject([{ key, fence: 2 }]);
        expect(await holdersOf(world, key)).toEqual(held(other, 2));
      },
    };
  });

/** K12 an expired lock goes to who asks for it while it is swept, in every interleaving. */
export const acquireWhileExpiring = (world: World): Contest =>
  contestOf(world, async () => {
    const { other, key, wanted } = await holdKey(world, { ttlMs: 1_000 });
    await world.passTime(2_000);
    return {
      sides: [
        side('acquire', world.a, () => other.at(world.a).lock.acquire({ keys: wanted })),
        side('expire', world.b, () => sweepLocks(world.b)),
      ],
      async check({ acquire, expire }) {
        expect([kindOf(acquire), kindOf(expire)]).toEqual(['ok', 'ok']);
        expect(await holdersOf(world, key)).toEqual(held(other, 2));
      },
    };
  });

/** K12 an expired lock goes to who asks for it while its last holder releases it, in every interleaving. */
export const acquireExpiredWhileReleasing = (world: World): Contest =>
  contestOf(world, async () => {
    const { holder, other, key, keys, wanted } = await holdKey(world, { ttlMs: 1_000 });
    await world.passTime(2_000);
    return {
      sides: [
        side('acquire', world.a, () => other.at(world.a).lock.acquire({ keys: wanted })),
        side('release', world.c, () => holder.at(world.c).lock.release({ keys })),
      ],
      async check({ acquire, release }) {
        expect([kindOf(acquire), kindOf(release)]).toEqual(['ok', 'ok']);
        expect(await holdersOf(world, key)).toEqual(held(other, 2));
      },
    };
  });

/** K13 a lock that is renewed while it expires is held on or lost, and another gets it only if it was lost, in every interleaving. */
export const renewOrAcquire = (world: World): Contest =>
  contestOf(world, async () => {
    const { holder, other, key, keys, wanted } = await holdKey(world, { ttlMs: 1_000 });
    return {
      sides: [
        side('renew', world.a, () => holder.at(world.a).lock.renew({ keys, ttlMs: 60_000 })),
        side('acquire', world.b, () => other.at(world.b).lock.acquire({ keys: wanted })),
        side('time', world.c, () => world.c.db.em.fork().execute('select test_clock.pass(2000)')),
      ],
      async check({ renew, acquire }) {
        const [renewed, acquired] = [kindOf(renew), kindOf(acquire)];
        expect(['ok lock_conflict', 'lock_lost ok', 'lock_lost lock_conflict']).toContain(`${renewed} ${acquired}`);
        expect(await holdersOf(world, key)).toEqual(renewed === 'ok' ? held(holder, 1) : acquired === 'ok' ? held(other, 2) : []);
      },
    };
  });

/** K13 a lock that is renewed while the sweeper takes it is held on or lost, as was answered, in every interleaving. */
export const renewWhileExpiring = (world: World): Contest =>
  contestOf(world, async () => {
    const { holder, key, keys } = await holdKey(world, { ttlMs: 1_000 });
    return {
      sides: [
        side('renew', world.a, () => holder.at(world.a).lock.renew({ keys, ttlMs: 60_000 })),
        side('expire', world.b, () => sweepLocks(world.b)),
        side('time', world.c, () => world.c.db.em.fork().execute('select test_clock.pass(2000)')),
      ],
      async check({ renew }) {
        expect(['ok', 'lock_lost']).toContain(kindOf(renew));
        expect(await holdersOf(world, key)).toEqual(kindOf(renew) === 'ok' ? held(holder, 1) : []);
      },
    };
  });

/** W3 who asks for a lock while its holder leaves gets it, in every interleaving. */
export const acquireWhileHolderLeaves = (world: World): Contest =>
  contestOf(world, async () => {
    const { holder, other, key, wanted } = await holdKey(world);
    return {
      // What the sweeper does as soon as it hears that a lock is due.
      wake: () => sweepLocks(world.c),
      sides: [
        side('leave', world.a, () => holder.at(world.a).agent.deregister({})),
        side('acquire', world.b, () => other.at(world.b).lock.acquire({ keys: wanted, waitMs: 60_000 })),
      ],
      async check({ acquire }) {
        expect((answerOf<Acquired>(acquire) as Acquired).locks).toMatchObject([{ key, fence: 2 }]);
        expect(await holdersOf(world, key)).toEqual(held(other, 2));
      },
    };
  });

/** W3 who asks for a lock while the session of its holder expires gets it, in every interleaving. */
export const acquireWhileHolderExpires = (world: World): Contest =>
  contestOf(world, async () => {
    const { other, key, wanted } = await holdKey(world, { ttlMs: 600_000 });
    await world.passTime(61_000);
    await noPause(world.c);
    await world.keepAlive(other);
    return {
      // What the sweeper does as soon as it hears that a lock is due.
      wake: () => sweepLocks(world.c),
      sides: [
        side('expire', world.a, () => sweepSessions(world.a)),
        side('acquire', world.b, () => other.at(world.b).lock.acquire({ keys: wanted, waitMs: 60_000 })),
      ],
      async check({ acquire }) {
        expect((answerOf<Acquired>(acquire) as Acquired).locks).toMatchObject([{ key, fence: 2 }]);
        expect(await holdersOf(world, key)).toEqual(held(other, 2));
      },
    };
  });

/** Who gives up waiting while the lock is released keeps nothing of it, in every interleaving. */
export const giveUpWhileReleasing = (world: World): Contest =>
  contestOf(world, async () => {
    const { holder, other, key, keys, wanted } = await holdKey(world);
    const patience = new AbortController();
    const waiting = other.at(world.a).lock.acquire({ keys: wanted, waitMs: 60_000 }, { signal: patience.signal });
    waiting.catch(() => undefined);
    await eventually(async () => expect(await world.rows('select id from lock_requests')).toHaveLength(1), { everyMs: 1 });
    // It has looked whether it was served already, and waits for a hint.
    await untilIdle(world.a.gate);
    return {
      sides: [
        side('giveUp', world.a, () => {
          patience.abort();
          return waiting;
        }),
        side('release', world.b, () => holder.at(world.b).lock.release({ keys })),
      ],
      async check({ giveUp, release }) {
        expect([kindOf(giveUp), kindOf(release)]).toEqual(['cancelled', 'ok']);
        expect(await holdersOf(world, key)).toEqual([]);
        expect(await world.rows('select id from lock_requests')).toEqual([]);
      },
    };
  });

/** K15 a task whose lock is taken is handed out or woken when that is released, in every interleaving. */
export const claimWhileReleasing = (world: World): Contest =>
  contestOf(world, async () => {
    const { holder, other, keys, wanted } = await holdKey(world);
    const [taskId] = await world.submit({ type: other.type, locks: wanted });
    return {
      sides: [
        side('release', world.a, () => holder.at(world.a).lock.release({ keys })),
        side('claim', world.b, () => other.at(world.b).task.claim({})),
      ],
      async check({ claim }) {
        const { claims } = answerOf<Result<'task/claim'>>(claim) as Result<'task/claim'>;
        if (claims.length > 0) return;
        // Who would have waited looks again: at once if the release has woken the task, else after the sweeper.
        await sweepLocks(world.c);
        expect((await other.at(world.c).task.claim({})).claims).toMatchObject([{ taskId, attempt: 1 }]);
      },
    };
  });

/** K12 an expired lock goes to who asks for it, whoever sweeps and releases it meanwhile. */
export const acquireWhileExpiringAndReleasing = (world: World): Contest =>
  contestOf(world, async () => {
    const { holder, other, key, keys, wanted } = await holdKey(world, { ttlMs: 1_000 });
    await world.passTime(2_000);
    return {
      sides: [
        side('acquire', world.a, () => other.at(world.a).lock.acquire({ keys: wanted })),
        side('expire', world.b, () => sweepLocks(world.b)),
        side('release', world.c, () => holder.at(world.c).lock.release({ keys })),
      ],
      async check({ acquire, expire, release }) {
        expect([kindOf(acquire), kindOf(expire), kindOf(release)]).toEqual(['ok', 'ok', 'ok']);
        expect(await holdersOf(world, key)).toEqual(held(other, 2));
      },
    };
  });
