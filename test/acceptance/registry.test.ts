import { createClient } from '@baton/protocol';
import { callOverHttp } from '@baton/sdk/connection';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { explainHealth, healthOf } from '../../coordinator/src/agent/health-rules.ts';
import { openStoredState } from '../fuzz/stored-state.ts';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { followEvents } from '../support/events.ts';
import { eventually } from '../support/eventually.ts';
import { outcomeOf, setUpBench, uniqueType } from '../support/work.ts';

/** No beat, sweep or poll of a daemon's own may write while it is watched. */
const quiet = { sweepMs: 3_600_000, pollMs: 3_600_000, leaseMs: 7_200_000, heartbeatMs: 2_400_000 };

/** Nobody beats, and nobody goes stale while a test runs. */
const patient = { heartbeatMs: 60_000, leaseMs: 180_000 };

let daemon: Daemon;
beforeAll(async () => {
  daemon = await startDaemon({ config: patient });
});
afterAll(() => daemon.stop());

test('A1 capabilities are trimmed, in lower case and unique, all is echoed, and the agent is healthy', async () => {
  const { client } = await daemon.connect();

  const { agentId } = await client.agent.register({
    name: 'worker',
    capabilities: ['analysis', 'Python ', 'python'],
    capacity: 3,
    tags: ['python', 'fastapi'],
    metadata: { model: 'small' },
    type: 'worker',
    phase: 'IMPLEMENTATION',
  });

  expect(await daemon.client.agent.get({ agentId })).toMatchObject({
    name: 'worker',
    capabilities: ['analysis', 'python'],
    capacity: 3,
    tags: ['fastapi', 'python'],
    metadata: { model: 'small' },
    type: 'worker',
    phase: 'IMPLEMENTATION',
    state: 'active',
    available: true,
    status: 'idle',
    health: 'healthy',
    epoch: 1,
    running: 0,
  });
});

describe('A3', () => {
  const updatesOf = async (agentId: string) => {
    const { events } = await daemon.client.event.list({ limit: 1_000 });
    return events.filter(({ name, data }) => name === 'agent.capability.updated' && data['agentId'] === agentId).map(({ data }) => data);
  };

  test('A3 another capability is exactly one event, and the same list again is none', async () => {
    const agent = await daemon.connectAgent({ capabilities: ['analysis'] });
    const { agentId } = agent.session;

    await agent.client.agent.update({ capabilities: ['analysis', 'python'] });
    await agent.client.agent.update({ capabilities: ['Python ', 'analysis', 'python'] });
    await agent.client.agent.update({ tags: ['fast'] });

    expect(await updatesOf(agentId)).toEqual([
      { agentId, agentName: agent.name, capabilities: ['analysis', 'python'], added: ['python'], removed: [] },
    ]);
  });

  test('A3 of many updates to the same list at once one is an event', async () => {
    const agent = await daemon.connectAgent({ capabilities: ['analysis'] });

    await Promise.all(Array.from({ length: 8 }, () => agent.client.agent.update({ capabilities: ['python'] })));

    expect(await updatesOf(agent.session.agentId)).toEqual([expect.objectContaining({ added: ['python'], removed: ['analysis'] })]);
  });

  test('A3 registering anew with other capabilities is one event, with the same ones none', async () => {
    const { name, session } = await daemon.connectAgent({ capabilities: ['analysis'] });

    await daemon.connectAgent({ name, capabilities: ['analysis'] });
    await daemon.connectAgent({ name, capabilities: ['analysis', 'python@3.12.1'] });

    expect(await updatesOf(session.agentId)).toEqual([expect.objectContaining({ added: ['python@3.12.1'], removed: [] })]);
  });
});

test('what an agent says anew is changed, and what it leaves out stays', async () => {
  const agent = await daemon.connectAgent({ capabilities: ['analysis'], capacity: 3, tags: ['slow'] });

  await agent.client.agent.update({ type: 'reviewer', phase: 'TESTING', metadata: { model: 'large' } });
  const changed = await agent.client.agent.update({ capacity: 2, phase: null });

  expect(changed).toMatchObject({
    capabilities: ['analysis'],
    capacity: 2,
    tags: ['slow'],
    type: 'reviewer',
    metadata: { model: 'large' },
  });
  expect(changed).not.toHaveProperty('phase');
});

test.each(['python@three', 'python@>=3.11', 'ubuntu@24.04', 'c plus plus'])(
  '%s cannot be offered: the answer names the field, the value and what to write',
  async (capability) => {
    const agent = await daemon.connectAgent();

    const refused = await agent.client.agent.update({ capabilities: ['git', capability] }).catch((error: unknown) => error);

    const message = expect.stringMatching(`^${capability} is no capability\\. Write .*@3\\.12\\.1`) as string;
    expect(refused).toMatchObject({ kind: 'invalid_params', code: -32602, data: { fields: [{ path: 'capabilities[1]', message }] } });
    expect((await agent.client.agent.get({ agentId: agent.session.agentId })).capabilities).toEqual(['work']);
  },
);

describe('availability', () => {
  test('A6 an agent that is not available is given nothing, from the answer on, and its waiting claim is looked at when it is', async () => {
    const { agent, submit } = await setUpBench(daemon);
    await agent.client.agent.setAvailability({ available: false, reason: 'Its disk is full.' });
    const [taskId] = await submit({});

    expect(await agent.claim()).toEqual([]);
    const waiting = agent.claimOne();
    await agent.client.agent.setAvailability({ available: true });

    expect((await waiting).taskId).toBe(taskId);
  });

  test('A6 a claim that waits when the agent becomes unavailable is given nothing', async () => {
    const { agent, submit } = await setUpBench(daemon);
    const waiting = agent.claim({ waitMs: 300 });
    const { status } = await agent.client.agent.setAvailability({ available: false });

    await submit({});

    expect(await waiting).toEqual([]);
    expect(status).toBe('unavailable');
  });

  test('A6 whatever claims are under way, the answer that an agent is unavailable is the last moment it is given something', async () => {
    const { agent, submit } = await setUpBench(daemon, { capacity: 100 });
    const { agentId } = agent.session;
    const runningOf = async () => (await daemon.client.agent.get({ agentId })).running;
    const given: number[] = [];
    const later: number[] = [];

    for (let round = 0; round < 10; round += 1) {
      await submit({}, {}, {});
      const claims = Promise.all([agent.claim({ max: 1 }), agent.claim({ max: 1 }), agent.claim({ max: 1 })]);
      const { running } = await daemon.client.agent.setAvailability({ agentId, available: false });
      await claims;
      given.push(running);
      later.push(await runningOf());
      await daemon.client.agent.setAvailability({ agentId, available: true });
    }

    expect(later).toEqual(given);
  });

  test('an operator names any agent, and another agent names none but itself', async () => {
    const agent = await daemon.connectAgent();
    const { agentId } = agent.session;
    const other = await daemon.connectAs('agent');
    const operator = await daemon.connectAs('operator');

    expect(await outcomeOf(other.client.agent.setAvailability({ available: false, agentId }))).toBe('access_denied');
    expect(await outcomeOf(other.client.agent.setAvailability({ available: false }))).toBe('session_required');
    expect((await operator.client.agent.setAvailability({ available: false, agentId })).available).toBe(false);
  });

  test('a new session is available, and the change of it is told once', async () => {
    const agent = await daemon.connectAgent();
    const feed = await followEvents(await daemon.connect());
    await agent.client.agent.setAvailability({ available: false });
    await agent.client.agent.setAvailability({ available: false });

    await daemon.connectAgent({ name: agent.name });

    await feed.waitFor('agent.availabilityChanged', ({ data }) => data.available);
    expect(feed.seen.filter(({ name }) => name === 'agent.availabilityChanged')).toHaveLength(2);
    expect((await daemon.client.agent.get({ agentId: agent.session.agentId })).available).toBe(true);
  });
});

describe('decisions about an agent', () => {
  const reason = 'It writes nonsense.';

  test.each(['quarantined', 'maintenance'] as const)('one that is %s finishes what it runs and is given nothing new', async (state) => {
    const { agent, submit } = await setUpBench(daemon);
    const { agentId } = agent.session;
    await submit({}, {});
    const [claim] = await agent.claim({ max: 1 });

    const decided = await daemon.client.agent.setState({ agentId, state, reason });

    expect(decided).toMatchObject({ state, status: state, stateReason: reason, running: 1 });
    expect(await agent.claim()).toEqual([]);
    expect(await outcomeOf(agent.complete(claim!))).toBe('accepted');
    const waiting = agent.claimOne();
    const again = await daemon.client.agent.setState({ agentId, state: 'active', reason: 'It was mended.' });
    await waiting;
    expect(again).not.toHaveProperty('stateReason');
  });

  test.each(['quarantined', 'maintenance'] as const)(
    'HB7 neither beats, sweeps, a new session nor draining revive one that is %s',
    async (state) => {
      await using daemon = await startDaemon({ config: { heartbeatMs: 300, leaseMs: 900, sweepMs: 50 } });
      const agent = await daemon.connectAgent();
      const { agentId, resumeToken } = agent.session;
      await daemon.client.agent.setState({ agentId, state, reason });
      const now = async () => {
        const { state, status, stateReason } = await daemon.client.agent.get({ agentId });
        return { state, status, stateReason };
      };
      const unchanged = { state, status: state, stateReason: reason };

      // Whether its short lease still runs is all the same.
      await outcomeOf(agent.client.agent.heartbeat({}));
      expect(await now()).toEqual(unchanged);
      await outcomeOf(agent.client.agent.drain({}));
      expect(await now()).toEqual(unchanged);
      await daemon.connectAgent({ name: agent.name, resumeToken });
      expect(await now()).toEqual(unchanged);
      await eventually(async () => expect((await daemon.client.agent.get({ agentId })).health).toBe('lost'));
      expect(await now()).toEqual(unchanged);
      await daemon.connectAgent({ name: agent.name });
      expect(await now()).toEqual(unchanged);
    },
  );

  test('A7, HB7 one that is terminated loses its session, its claims and its locks at once, and never comes back', async () => {
    const { agent, submit, type } = await setUpBench(daemon);
    const successor = await daemon.connectAgent({ capabilities: [type] });
    const { agentId } = agent.session;
    const key = `place:${type}`;
    await submit({});
    const claim = await agent.claimOne();
    await agent.client.lock.acquire({ keys: [{ key }], ttlMs: 60_000 });

    const decided = await daemon.client.agent.setState({ agentId, state: 'terminated', reason });

    expect(decided).toMatchObject({ state: 'terminated', status: 'terminated', health: 'lost', running: 0 });
    expect((await agent.told('agent/sessionEnded')).reason).toBe('terminated');
    expect((await successor.client.lock.acquire({ keys: [{ key }] })).locks).toHaveLength(1);
    expect(await outcomeOf(agent.complete(claim))).toBe('session_unknown');
    expect(await outcomeOf(agent.client.agent.heartbeat({}))).toBe('session_unknown');
    await expect(daemon.connectAgent({ name: agent.name })).rejects.toMatchObject({
      kind: 'agent_terminated',
      code: 40911,
      data: { reason },
    });
    await expect(daemon.connectAgent({ name: agent.name, resumeToken: agent.session.resumeToken })).rejects.toMatchObject({
      kind: 'agent_terminated',
    });
    await expect(daemon.client.agent.setState({ agentId, state: 'active', reason: 'A mistake.' })).rejects.toMatchObject({
      kind: 'agent_terminated',
    });
    expect((await successor.claimOne()).taskId).toBe(claim.taskId);
  });

  test('a decision is an event with who decided it and why, and the same one again is none', async () => {
    const { session, name: agentName } = await daemon.connectAgent();
    const { agentId } = session;
    const feed = await followEvents(await daemon.connect());

    await daemon.client.agent.setState({ agentId, state: 'quarantined', reason });
    await daemon.client.agent.setState({ agentId, state: 'quarantined', reason });
    await daemon.client.agent.setState({ agentId, state: 'active', reason: 'It was mended.' });

    await feed.waitFor('agent.stateChanged', ({ data }) => data.to === 'active');
    const decisions = feed.seen.flatMap(({ name, data }) => (name === 'agent.stateChanged' ? [data] : []));
    expect(decisions).toEqual([
      { agentId, agentName, from: 'active', to: 'quarantined', reason, by: expect.any(String) as string },
      { agentId, agentName, from: 'quarantined', to: 'active', reason: 'It was mended.', by: expect.any(String) as string },
    ]);
  });
});

describe('health', () => {
  const allowedMs = 90_000;

  test('HB3 30 s of silence of 90 allowed are healthy', () => {
    expect(healthOf({ silenceMs: 30_000, living: true }, allowedMs)).toBe('healthy');
  });

  test('HB4 5 min of silence are stale, and the seconds are told', () => {
    const silence = { silenceMs: 300_000, living: true };

    expect(healthOf(silence, allowedMs)).toBe('stale');
    expect(explainHealth(silence, allowedMs)).toBe('Silent for 300 s; 90 s are allowed.');
  });

  test.each([
    { silenceMs: 89_999, living: true, health: 'healthy' },
    { silenceMs: 90_000, living: true, health: 'stale' },
    { silenceMs: 10, living: false, health: 'lost' },
    { silenceMs: null, living: false, health: 'lost' },
  ])('silent for $silenceMs ms with a lease that runs ($living) is $health', ({ silenceMs, living, health }) => {
    expect(healthOf({ silenceMs, living }, allowedMs)).toBe(health);
  });

  test('HB6 asking for health, statistics and the best agents writes nothing', async () => {
    await using daemon = await startDaemon({ store: 'postgresql', config: quiet });
    const { agentId } = (await daemon.connectAgent({ capabilities: ['python'] })).session;
    const stored = await openStoredState(daemon.databaseUrl!);
    const before = await stored.readDigests();

    const { agents } = await daemon.client.agent.health({});
    await daemon.client.agent.health({ agentId });
    await daemon.client.agent.statistics({});
    await daemon.client.agent.search({ capabilities: ['python'] });
    await daemon.client.agent.bestFit({ capabilities: ['cobol'] });

    expect(agents).toEqual([expect.objectContaining({ agentId, status: 'idle', health: 'healthy', allowedMs: 4_800_000 })]);
    expect(await stored.readDigests()).toEqual(before);
    await stored.close();
  });

  test('an agent that is nowhere has no health', async () => {
    expect(await outcomeOf(daemon.client.agent.health({ agentId: crypto.randomUUID() }))).toBe('agent_not_found');
  });
});

test('HB5 the statistics count agents by status, type, phase and health', async () => {
  await using daemon = await startDaemon({ config: patient });
  const { agent: busy, submit } = await setUpBench(daemon, { capacity: 1 });
  await submit({});
  await busy.claimOne();
  const idle = await daemon.connectAgent({ capacity: 3, capabilities: [uniqueType()] });
  await idle.client.agent.update({ type: 'reviewer', phase: 'TESTING' });
  const resting = await daemon.connectAgent();
  await daemon.client.agent.setState({ agentId: resting.session.agentId, state: 'maintenance', reason: 'It is due.' });
  const gone = await daemon.connectAgent();
  await gone.client.agent.deregister({});

  expect(await daemon.client.agent.statistics({})).toEqual({
    total: 4,
    capacity: 4,
    free: 3,
    byStatus: { idle: 1, working: 0, busy: 1, unavailable: 0, draining: 0, lost: 1, maintenance: 1, quarantined: 0, terminated: 0 },
    byType: { worker: 3, reviewer: 1 },
    byPhase: { TESTING: 1 },
    byHealth: { healthy: 3, stale: 0, lost: 1 },
  });
});

test('HB1 a beat makes a silent agent healthy again', async () => {
  await using daemon = await startDaemon({ config: { heartbeatMs: 500, sweepMs: 50 } });
  const agent = await daemon.connectAgent();
  const healthOf = async () => (await daemon.client.agent.get({ agentId: agent.session.agentId })).health;
  await eventually(async () => expect(await healthOf()).toBe('stale'));

  // More than one where this test stands still for so long that it is silent again.
  const { revoked } = await eventually(async () => {
    const answer = await agent.client.agent.heartbeat({});
    expect(await healthOf()).toBe('healthy');
    return answer;
  });

  expect(revoked).toEqual([]);
});

test('HB2 a beat of an unknown session is session_unknown, and nothing is written', async () => {
  await using daemon = await startDaemon({ store: 'postgresql', config: quiet });
  await daemon.connectAgent();
  const stored = await openStoredState(daemon.databaseUrl!);
  const before = await stored.readDigests();
  const stranger = createClient(callOverHttp({ url: daemon.httpUrl, token: daemon.token, sessionToken: 'no-such-session' }));

  await expect(stranger.agent.heartbeat({})).rejects.toMatchObject({ kind: 'session_unknown' });

  expect(await stored.readDigests()).toEqual(before);
  await stored.close();
});
