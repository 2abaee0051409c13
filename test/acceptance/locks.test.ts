import type { LockMode } from '@baton/protocol';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { followEvents } from '../support/events.ts';
import { eventually } from '../support/eventually.ts';
import type { TestAgent } from '../support/test-agent.ts';
import { setUpBench } from '../support/work.ts';

let daemon: Daemon;
let a: TestAgent;
let b: TestAgent;
beforeAll(async () => {
  daemon = await startDaemon();
  [a, b] = await Promise.all([daemon.connectAgent({ name: 'agent-a' }), daemon.connectAgent({ name: 'agent-b' })]);
});
afterAll(() => daemon.stop());

let count = 0;
/** A key that no other test uses. */
const newKey = () => `file:/path/${(count += 1)}`;

const acquire = ({ client }: TestAgent, key: string, options: { mode?: LockMode; ttlMs?: number; waitMs?: number } = {}) => {
  const { mode = 'exclusive', ...rest } = options;
  return client.lock.acquire({ keys: [{ key, mode }], ...rest });
};
const holdersOf = async (key: string) => (await daemon.client.lock.get({ key })).holders;

describe('a lock', () => {
  test('L1, K1 it is taken for a task and an agent, with a fence, and is free after the release', async () => {
    const { agent, submit } = await setUpBench(daemon);
    await submit({});
    const { taskId, attempt } = await agent.claimOne();
    const key = newKey();

    const { locks } = await agent.client.lock.acquire({ keys: [{ key, mode: 'exclusive' }], ttlMs: 30_000, taskId, attempt });
    const held = await daemon.client.lock.get({ key });
    await agent.client.lock.release({ keys: [key], taskId, attempt });

    expect(locks).toEqual([{ key, mode: 'exclusive', fence: expect.any(Number) as number }]);
    expect(held).toMatchObject({ key, fence: locks[0]!.fence });
    expect(held.holders).toEqual([
      {
        agentId: agent.session.agentId,
        agentName: agent.name,
        sessionId: agent.session.sessionId,
        taskId,
        attempt,
        mode: 'exclusive',
        fence: locks[0]!.fence,
        heldMs: expect.any(Number) as number,
        expiresInMs: expect.any(Number) as number,
      },
    ]);
    expect(await holdersOf(key)).toEqual([]);
  });

  test('L2, K2, K5 a second agent is refused with the holder and its remaining time, and gets it after the release', async () => {
    const key = newKey();
    await acquire(a, key, { ttlMs: 60_000 });

    const refused = await acquire(b, key, { waitMs: 50 }).catch((error: unknown) => error);
    await a.client.lock.release({ keys: [key] });
    const { locks } = await acquire(b, key);

    expect(refused).toMatchObject({ kind: 'lock_conflict' });
    expect(JSON.stringify((refused as { data: unknown }).data)).toMatch(/agent-a/);
    expect(JSON.stringify((refused as { data: unknown }).data)).toMatch(/"expiresInMs":\d+/);
    expect(locks).toHaveLength(1);
  });

  test('L3, L4 one that is not renewed is free again, and its end is told', async () => {
    const key = newKey();
    const events = await followEvents(daemon.connection);
    const { locks } = await acquire(a, key, { ttlMs: 200 });

    const lost = await a.told('lock/lost', (told) => told.key === key);
    await events.waitFor('lock.expired', ({ data }) => data.key === key);

    expect(lost).toEqual({ key, fence: locks[0]!.fence, reason: 'expired' });
    expect(await holdersOf(key)).toEqual([]);
    expect((await acquire(b, key)).locks).toHaveLength(1);
  });

  test('L3, L4 a pattern that is not renewed frees what it covers, and who waits for a file of it gets it', async () => {
    const folder = newKey();
    await acquire(a, `${folder}/**`, { ttlMs: 300 });

    const { locks } = await acquire(b, `${folder}/a.ts`, { waitMs: 20_000 });

    expect(locks).toHaveLength(1);
    expect(await a.told('lock/lost', (told) => told.key === `${folder}/**`)).toMatchObject({ reason: 'expired' });
  });

  test('L5 who waits gets it when the holder releases it', async () => {
    const key = newKey();
    await acquire(a, key);
    const waiting = acquire(b, key, { waitMs: 20_000 });
    await eventually(async () => expect((await daemon.client.lock.get({ key })).waiters).toHaveLength(1));

    await a.client.lock.release({ keys: [key] });

    expect((await waiting).locks).toMatchObject([{ key }]);
    expect((await holdersOf(key)).map(({ agentName }) => agentName)).toEqual(['agent-b']);
  });

  test("L6 releasing a task's locks frees them all", async () => {
    const { agent, submit } = await setUpBench(daemon);
    await submit({});
    const { taskId, attempt } = await agent.claimOne();
    const keys = [newKey(), newKey()];
    await agent.client.lock.acquire({ keys: keys.map((key) => ({ key })), taskId, attempt });

    const { released } = await agent.client.lock.release({ taskId, attempt });

    expect(released).toBe(2);
    for (const key of keys) expect(await holdersOf(key)).toEqual([]);
  });

  test('K3 two share it', async () => {
    const key = newKey();

    await acquire(a, key, { mode: 'shared' });
    await acquire(b, key, { mode: 'shared' });

    expect((await holdersOf(key)).map(({ agentName }) => agentName).toSorted()).toEqual(['agent-a', 'agent-b']);
  });

  test('K4 a shared one keeps an exclusive one out, and the other way round', async () => {
    const [shared, exclusive] = [newKey(), newKey()];
    await acquire(a, shared, { mode: 'shared' });
    await acquire(a, exclusive);

    await expect(acquire(b, shared)).rejects.toMatchObject({ kind: 'lock_conflict' });
    await expect(acquire(b, exclusive, { mode: 'shared' })).rejects.toMatchObject({ kind: 'lock_conflict' });
  });

  test('K8 an unknown mode is -32602', async () => {
    const asked = acquire(a, newKey(), { mode: 'mine' as LockMode });

    await expect(asked).rejects.toMatchObject({ kind: 'invalid_params', code: -32602 });
  });

  test('K9 they are listed by task and by agent', async () => {
    const { agent, submit } = await setUpBench(daemon);
    await submit({});
    const { taskId, attempt } = await agent.claimOne();
    const [ofTask, ofSession] = [newKey(), newKey()];
    await agent.client.lock.acquire({ keys: [{ key: ofTask }], taskId, attempt });
    await acquire(agent, ofSession);

    const byTask = await daemon.client.lock.list({ taskId });
    const byAgent = await daemon.client.lock.list({ agentId: agent.session.agentId });

    expect(byTask.locks.map(({ key }) => key)).toEqual([ofTask]);
    expect(byAgent.locks.map(({ key }) => key).toSorted()).toEqual([ofTask, ofSession].toSorted());
  });

  test('K12 an expired lock blocks nobody, and nobody releases what is not theirs', async () => {
    const key = newKey();
    await acquire(a, key, { ttlMs: 100 });

    await acquire(b, key, { waitMs: 50_000 });
    const byFormerHolder = await a.client.lock.release({ keys: [key] });
    const holders = (await holdersOf(key)).map(({ agentName }) => agentName);
    const first = await b.client.lock.release({ keys: [key] });
    const second = await b.client.lock.release({ keys: [key] });

    expect(byFormerHolder.released).toBe(0);
    expect(holders).toEqual(['agent-b']);
    expect([first.released, second.released]).toEqual([1, 0]);
  });

  test('K13 an expired lock cannot be renewed', async () => {
    const key = newKey();
    await acquire(a, key, { ttlMs: 100 });
    await a.told('lock/lost', (told) => told.key === key);

    await expect(a.client.lock.renew({ keys: [key], ttlMs: 1_000 })).rejects.toMatchObject({ kind: 'lock_lost' });
  });

  test('K16 a late write with an old fence is refused by lock/check', async () => {
    const key = newKey();
    const old = (await acquire(a, key)).locks[0]!.fence;
    await a.client.lock.release({ keys: [key] });
    const current = (await acquire(b, key)).locks[0]!.fence;

    expect(current).toBeGreaterThan(old);
    expect(await daemon.client.lock.check({ key, fence: old })).toEqual({ valid: false });
    expect(await daemon.client.lock.check({ key, fence: current })).toEqual({ valid: true });
  });
});

describe('the locks that a task declares', () => {
  test('K15, W2 while they are taken the task stays ready, and it is handed out when they are free', async () => {
    const { agent, type, submit } = await setUpBench(daemon);
    const other = await daemon.connectAgent({ capabilities: [type] });
    const locks = [{ key: newKey() }];
    const [, second] = await submit({ locks }, { locks });

    const first = await agent.claimOne();
    const meanwhile = await other.claim();
    const waiting = await daemon.client.task.get({ taskId: second! });
    const later = other.claimOne();
    await agent.complete(first);

    expect(meanwhile).toEqual([]);
    expect(waiting).toMatchObject({ state: 'ready', attempt: 0, waitingForKey: locks[0]!.key });
    expect(await later).toMatchObject({ taskId: second, locks: [{ key: locks[0]!.key, fence: first.locks[0]!.fence + 1 }] });
  });

  test('W3 they go with the session of their agent', async () => {
    const { agent, submit } = await setUpBench(daemon);
    const key = newKey();
    await submit({ locks: [{ key }] });
    await agent.claimOne();

    await agent.client.agent.deregister({});

    expect(await holdersOf(key)).toEqual([]);
  });
});
