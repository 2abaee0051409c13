import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';
import { expect, test } from 'vitest';
import { connect } from '@baton/sdk/connection';
import { createTestDatabase, createTestFolder } from '../support/database.ts';
import { startDaemon } from '../support/daemon.ts';
import { eventually } from '../support/eventually.ts';
import { startFixtureProcess } from '../support/fixture-agent.ts';
import { spawnDaemon } from '../support/process.ts';
import { observeSessions } from '../support/session-observer.ts';
import { registerTestAgent } from '../support/test-agent.ts';
import { createTicketIn, outcomeOf } from '../support/work.ts';

// Side by side: most of their time both wait for a lease to end.
test.concurrent('the tasks of an agent process that stands still are claimable from the first sweep after its lease, and its late result is refused', async () => {
  await using daemon = await startDaemon({ config: { heartbeatMs: 500, leaseMs: 5_000, sweepMs: 200 } });
  await using observer = await observeSessions(daemon.databaseUrl!);
  await observer.recordSweeps();
  await using agent = startFixtureProcess(daemon);
  const ticket = await createTicketIn(daemon.client, 'TESTING');
  // It is done while the process stands still.
  const { tasks } = await daemon.client.task.submit({ ticketId: ticket.id, tasks: [{ type: 'spin', input: { ms: 4_000 } }] });
  const taskId = tasks[0]!.id;
  await eventually(async () => expect(await daemon.client.task.get({ taskId })).toMatchObject({ state: 'running' }));

  agent.child.kill('SIGSTOP');
  const heir = await daemon.connectAgent({ capabilities: ['spin'] });
  await observer.keep(heir.session.sessionId);
  const inherited = await heir.claimOne();
  agent.child.kill('SIGCONT');
  await agent.lines.waitFor((line) => /the result came too late|had been ended by the coordinator/.test(line), 'the refusal of its result');

  const { wasLeaseOver, sweepsBetween } = await observer.readLostAttempt(taskId);
  expect(inherited).toMatchObject({ taskId, attempt: 2 });
  expect(wasLeaseOver).toBe(true);
  expect(sweepsBetween).toBeLessThanOrEqual(1);
  expect(await daemon.client.task.get({ taskId })).toMatchObject({ state: 'running', attempt: 2, agentName: heir.name });
  expect(await outcomeOf(heir.complete(inherited))).toBe('accepted');
});

test.concurrent('none of 50 agents loses its session or its task when the coordinator stands still for longer than their leases', async () => {
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
  // Sweeps are written down as they begin: when the second has, the first has ended whom it would.
  await observer.awaitSweep();
  await observer.awaitSweep();
  await agents.beatAll();
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
      const beat = async () => outcomes.add(await outcomeOf(agent.client.agent.heartbeat({ attempts: [...held] })));
      const beatOn = async () => {
        while (!stopped.signal.aborted) {
          await beat();
          await delay(heartbeatMs, undefined, { signal: stopped.signal }).catch(() => undefined);
        }
      };
      return { agent, held, beat, beating: beatOn() };
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
    beatAll: () => Promise.all(agents.map(({ beat }) => beat())),
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
  const read = async <Row extends object>(query: string) => (await client.query<Row>(query)).rows[0]!;
  const readLastSweep = async () => (await read<{ at: string }>('select at::text as at from last_sweep')).at;
  return {
    countLeases: async (condition: string) => (await read<{ n: number }>(`select count(*)::int as n from sessions where ${condition}`)).n,
    async awaitSweep(): Promise<void> {
      const before = await readLastSweep();
      await eventually(async () => expect(await readLastSweep()).not.toBe(before));
    },
    [Symbol.asyncDispose]: () => client.end(),
  };
}
