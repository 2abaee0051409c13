import { Client } from 'pg';
import { expect, test } from 'vitest';
import { startDaemon } from '../support/daemon.ts';
import { eventually } from '../support/eventually.ts';

test('a session that beats while the database stands still lives on', async () => {
  await using daemon = await startDaemon({ config: { sweepMs: 200 } });
  const [agent, other] = [await daemon.connectAgent(), await daemon.connectAgent()];
  const observer = new Client(daemon.databaseUrl);
  const obstacle = new Client(daemon.databaseUrl);
  await Promise.all([observer.connect(), obstacle.connect()]);
  const read = async <Row>(expression: string): Promise<Row> => {
    const { rows } = await observer.query<{ value: Row }>(`select ${expression} as value from sessions where id = $1`, [
      agent.session.sessionId,
    ]);
    return rows[0]!.value;
  };
  // What registering counted for has been written down, and is not written again.
  await eventually(async () => expect(await read('last_seen_at > started_at')).toBe(true));
  await obstacle.query('begin');
  await obstacle.query('lock table sessions in share row exclusive mode');

  // The sweeper stands before the table with the beat of the other; whoever beats now is heard of in memory only.
  await other.client.agent.heartbeat({});
  await eventually(async () => {
    const { rows } = await observer.query(
      `select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock' and query like '%update sessions%'`,
    );
    expect(rows).toHaveLength(1);
  });
  await agent.client.agent.heartbeat({});
  // So long does the database stand still.
  await obstacle.query('update sessions set lease_until = clock_timestamp() where id = $1', [agent.session.sessionId]);
  await obstacle.query('commit');
  // Whatever the sweeper makes of it, it has made when the session has been written down or ended.
  await eventually(async () => expect(await read('ended_at is not null or lease_until > clock_timestamp()')).toBe(true));
  const reason = await read('end_reason');
  await Promise.all([observer.end(), obstacle.end()]);

  expect(reason).toBeNull();
});
