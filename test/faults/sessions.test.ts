import { Client } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { eventually } from '../support/eventually.ts';
import { outcomeOf, setUpBench, uniqueType } from '../support/work.ts';

const leaseMs = 60_000;
let first: Daemon;
let second: Daemon;
let observer: Client;
beforeAll(async () => {
  // Nothing that stands before a row is a sweeper's.
  first = await startDaemon({ config: { leaseMs, sweepMs: 60_000 } });
  second = await startDaemon({ databaseUrl: first.databaseUrl!, config: { leaseMs, sweepMs: 60_000 } });
  observer = new Client(first.databaseUrl);
  await observer.connect();
});
afterAll(async () => {
  await observer.end();
  await second.stop();
  await first.stop();
});

async function findOne<Row>(statement: string, values: unknown[] = []): Promise<Row> {
  const { rows } = await observer.query(statement, values);
  return rows[0] as Row;
}

const leaseLeftMs = async (sessionId: string) =>
  (
    await findOne<{ ms: number }>(
      'select (extract(epoch from lease_until - clock_timestamp()) * 1000)::float8 as ms from sessions where id = $1',
      [sessionId],
    )
  ).ms;

const whenBlocked = (count: number) =>
  eventually(async () => {
    const { n } = await findOne<{ n: number }>(
      `select count(*)::int as n from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
    );
    expect(n).toBeGreaterThanOrEqual(count);
  });

async function fence() {
  const name = `fenced-${crypto.randomUUID()}`;
  const type = uniqueType();
  const older = await first.connectAgent({ name, capabilities: [type] });
  const newer = await second.connectAgent({ name, capabilities: [type] });
  return { older, newer };
}

test('a session that a newer one has fenced on another coordinator cannot drain the agent', async () => {
  const { older, newer } = await fence();

  const outcome = await outcomeOf(older.client.agent.drain({}));

  expect(outcome).toMatch(/^session_(unknown|required)$/);
  expect((await newer.client.agent.get({ agentId: newer.session.agentId })).state).toBe('active');
});

test('a session that a newer one has fenced on another coordinator learns so from its next beat', async () => {
  const { older } = await fence();

  const outcome = await outcomeOf(older.client.agent.heartbeat({}));

  expect(outcome).toMatch(/^session_(unknown|required)$/);
});

test('evidence from a session that a newer one has fenced is refused', async () => {
  const { older } = await fence();
  const ticket = await first.client.ticket.create({ title: 'A ticket' });

  const outcome = await outcomeOf(older.client.context.note({ ticketId: ticket.id, item: { kind: 'fact', text: 'Said by the fenced.' } }));

  expect(outcome).toMatch(/^session_(unknown|required)$/);
});

test('coordinators that start do not prolong the lease of a silent session beyond one lease', async () => {
  const agent = await first.connectAgent();
  await agent.disconnect();
  await observer.query(
    `insert into last_sweep (at) values (clock_timestamp() - interval '1 minute') on conflict (id) do update set at = excluded.at`,
  );

  for (let starts = 0; starts < 3; starts += 1) await (await startDaemon({ databaseUrl: first.databaseUrl!, config: { leaseMs } })).stop();

  expect(await leaseLeftMs(agent.session.sessionId)).toBeLessThanOrEqual(leaseMs);
});

test('what an agent that drains is told to run is all it will run', async () => {
  const { submit, agent } = await setUpBench(first);
  const key = `test:${crypto.randomUUID()}`;
  await agent.client.lock.acquire({ keys: [{ key }] });
  await agent.client.lock.release({ keys: [key] });
  await submit({ locks: [{ key }] });
  const client = new Client(first.databaseUrl);
  await client.connect();
  await client.query('begin');
  await client.query('select 1 from lock_keys where key = $1 for update', [key]);

  // The claim has read that the agent is active and stands before the key.
  const claimed = agent.claim({ waitMs: 50_000 });
  await whenBlocked(1);
  const drained = agent.client.agent.drain({});
  await Promise.race([drained, whenBlocked(2)]);
  await client.query('commit');
  await client.end();

  const [claims, { running }] = await Promise.all([claimed, drained]);
  expect(running).toBe(claims.length);
});

test('a session that ends while it is being resumed is not resumed', async () => {
  const agent = await first.connectAgent();
  const client = new Client(first.databaseUrl);
  await client.connect();
  await client.query('begin');
  await client.query(`update sessions set ended_at = clock_timestamp(), end_reason = 'expired' where id = $1`, [agent.session.sessionId]);

  const returning = second.connectAgent({ name: agent.name, resumeToken: agent.session.resumeToken });
  await whenBlocked(1);
  await client.query('commit');
  await client.end();

  const { session } = await returning;
  expect(session).toMatchObject({ resumed: false, epoch: agent.session.epoch + 1 });
});
