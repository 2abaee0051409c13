import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';
import { expect, test } from 'vitest';
import type { Claim } from '@baton/protocol';
import { connect } from '@baton/sdk/connection';
import { createTestDatabase, createTestFolder } from '../support/database.ts';
import { startDaemon } from '../support/daemon.ts';
import { eventually } from '../support/eventually.ts';
import { startFixtureProcess } from '../support/fixture-agent.ts';
import { spawnDaemon } from '../support/process.ts';
import { registerTestAgent } from '../support/test-agent.ts';
import { createTicketIn, outcomeOf } from '../support/work.ts';

test('the tasks of an agent process that stands still are claimable within its lease and 2 s, and its late result is refused', async () => {
  const leaseMs = 2_500;
  await using daemon = await startDaemon({ config: { heartbeatMs: 500, leaseMs, sweepMs: 200 } });
  await using agent = startFixtureProcess(daemon);
  const ticket = await createTicketIn(daemon.client, 'TESTING');
  const { tasks } = await daemon.client.task.submit({ ticketId: ticket.id, tasks: [{ type: 'spin', input: { ms: 3_000 } }] });
  const taskId = tasks[0]!.id;
  await eventually(async () => expect(await daemon.client.task.get({ taskId })).toMatchObject({ state: 'running' }));

  agent.child.kill('SIGSTOP');
  const heir = await daemon.connectAgent({ capabilities: ['spin'] });
  // In short waits: each call keeps the session of the heir, which has no heart, alive.
  const inherited = await eventually(async () => {
    const [claim] = await heir.claim({ waitMs: 300 });
    expect(claim).toBeDefined();
    return claim as Claim;
  });
  agent.child.kill('SIGCONT');
  await agent.lines.waitFor((line) => /the result came too late|had been ended by the coordinator/.test(line), 'the refusal of its result');

  const observer = new Client(daemon.databaseUrl);
  await observer.connect();
  const { rows } = await observer.query<{ silentMs: number }>(
    `select (extract(epoch from n.finished_at - s.last_seen_at) * 1000)::float8 as "silentMs"
       from attempts n join sessions s on s.id = n.session_id where n.task_id = $1 and n.number = 1`,
    [taskId],
  );
  await observer.end();
  expect(inherited).toMatchObject({ taskId, attempt: 2 });
  expect(rows[0]!.silentMs).toBeLessThan(leaseMs + 2_000);
  expect(await daemon.client.task.get({ taskId })).toMatchObject({ state: 'running', attempt: 2, agentName: heir.name });
  expect(await outcomeOf(heir.complete(inherited))).toBe('accepted');
});

test('none of 50 agents loses its session or its task when the coordinator stands still for longer than their leases', async () => {
  const [heartbeatMs, leaseMs] = [1_000, 5_000];
  await using database = await createTestDatabase();
  await using folder = await createTestFolder();
  await using daemon = await spawnDaemon(['--data', folder.path, '--database-url', database.url], {
    env: { BATON_HEARTBEAT_MS: String(heartbeatMs), BATON_LEASE_MS: String(leaseMs), BATON_SWEEP_MS: '200', BATON_LOG_LEVEL: 'fatal' },
  });
  await using observer = await openObserver(database.url);
  const { url, tokenFile } = daemon.ready;
  await using connection = await connect({ url, tokenFile });
  const ticket = await createTicketIn(connection.client, 'TESTING');
  await using agents = await openAgents({ url, tokenFile, count: 50, heartbeatMs });
  await connection.client.task.submit({ ticketId: ticket.id, tasks: Array.from({ length: 50 }, () => ({ type: 'hold', maxAttempts: 1 })) });
  await agents.claimAll();

  process.kill(daemon.pid, 'SIGSTOP');
  await eventually(async () => expect(await observer.countLeases('lease_until > clock_timestamp()')).toBe(0));
  process.kill(daemon.pid, 'SIGCONT');
  // Sessions are swept again: one that is silent from here on is lost, and those that beat are not.
  const silent = await registerTestAgent(await connect({ url, tokenFile }));
  await silent.disconnect();
  await eventually(async () => expect(await observer.countLeases(`end_reason = 'expired'`)).toBe(1));
  const { tasks } = await connection.client.task.list({ ticketId: ticket.id, limit: 100 });

  expect([...agents.outcomes]).toEqual(['accepted']);
  expect(tasks.map(({ state, attempt }) => `${state} ${attempt}`)).toEqual(Array.from({ length: 50 }, () => 'running 1'));
});

interface AgentsPlan {
  readonly url: string;
  readonly tokenFile: string;
  readonly count: number;
  readonly heartbeatMs: number;
}

/** Agents that beat as real ones do, and name what they hold, until the end of the block. */
async function openAgents({ url, tokenFile, count, heartbeatMs }: AgentsPlan) {
  const stopped = new AbortController();
  const outcomes = new Set<string>();
  const agents = await Promise.all(
    Array.from({ length: count }, async () => {
      const agent = await registerTestAgent(await connect({ url, tokenFile }), { capabilities: ['hold'] });
      const held: { taskId: string; attempt: number }[] = [];
      const beat = async () => {
        while (!stopped.signal.aborted) {
          outcomes.add(await outcomeOf(agent.client.agent.heartbeat({ attempts: [...held] })));
          await delay(heartbeatMs, undefined, { signal: stopped.signal }).catch(() => undefined);
        }
      };
      return { agent, held, beating: beat() };
    }),
  );
  return {
    outcomes,
    claimAll: () =>
      Promise.all(
        agents.map(async ({ agent, held }) => {
          const { taskId, attempt } = await agent.claimOne();
          held.push({ taskId, attempt });
        }),
      ),
    async [Symbol.asyncDispose]() {
      stopped.abort();
      await Promise.all(agents.map(({ beating }) => beating));
      await Promise.all(agents.map(({ agent }) => agent.disconnect()));
    },
  };
}

async function openObserver(url: string) {
  const client = new Client(url);
  await client.connect();
  return {
    async countLeases(condition: string): Promise<number> {
      return (await client.query<{ n: number }>(`select count(*)::int as n from sessions where ${condition}`)).rows[0]!.n;
    },
    [Symbol.asyncDispose]: () => client.end(),
  };
}
