import { createClient } from '@baton/protocol';
import { callOverHttp } from '@baton/sdk/connection';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { eventually } from '../support/eventually.ts';

let daemon: Daemon;
beforeAll(async () => {
  daemon = await startDaemon();
});
afterAll(() => daemon.stop());

test('A1 capabilities are trimmed, in lower case and unique, all is echoed, and the agent is healthy', async () => {
  const { client } = await daemon.connect();

  const { agentId } = await client.agent.register({
    name: 'worker',
    capabilities: ['analysis', 'Python ', 'python'],
    capacity: 3,
    tags: ['python', 'fastapi'],
    metadata: { phase: 'IMPLEMENTATION' },
  });

  expect(await daemon.client.agent.get({ agentId })).toMatchObject({
    name: 'worker',
    capabilities: ['analysis', 'python'],
    capacity: 3,
    tags: ['fastapi', 'python'],
    metadata: { phase: 'IMPLEMENTATION' },
    state: 'active',
    health: 'healthy',
    epoch: 1,
    running: 0,
  });
});

test('HB1 a beat makes a silent agent healthy again', async () => {
  await using daemon = await startDaemon({ config: { heartbeatMs: 500, sweepMs: 50 } });
  const agent = await daemon.connectAgent();
  const healthOf = async () => (await daemon.client.agent.get({ agentId: agent.session.agentId })).health;
  await eventually(async () => expect(await healthOf()).toBe('stale'));

  const { revoked } = await agent.client.agent.heartbeat({});

  await eventually(async () => expect(await healthOf()).toBe('healthy'));
  expect(revoked).toEqual([]);
});

test('HB2 a beat of an unknown session is session_unknown, and nothing is written', async () => {
  const before = await daemon.client.agent.list({ all: true });
  const stranger = createClient(callOverHttp({ url: daemon.httpUrl, token: daemon.token, sessionToken: 'no-such-session' }));

  await expect(stranger.agent.heartbeat({})).rejects.toMatchObject({ kind: 'session_unknown' });

  const known = (agents: readonly { id: string; epoch: number }[]) => agents.map(({ id, epoch }) => [id, epoch]);
  expect(known((await daemon.client.agent.list({ all: true })).agents)).toEqual(known(before.agents));
});
