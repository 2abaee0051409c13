import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { configSchema } from '../../coordinator/src/config.ts';
import { createChanges } from '../../coordinator/src/db/changes.ts';
import { openStore } from '../../coordinator/src/db/open-store.ts';
import { transact, type Tx } from '../../coordinator/src/db/transaction.ts';
import { createLog } from '../../coordinator/src/log.ts';
import { createTestDatabase } from '../support/database.ts';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { eventually } from '../support/eventually.ts';
import type { TestAgent } from '../support/test-agent.ts';
import { outcomeOf } from '../support/work.ts';

let daemon: Daemon;
/** Waits for a row for a little longer than a lock call that is to wait at all would be tried again after. */
let impatient: Daemon;
let observer: Client;
beforeAll(async () => {
  daemon = await startDaemon({ store: 'postgresql' });
  impatient = await startDaemon({ databaseUrl: daemon.databaseUrl!, config: { lockTimeoutMs: 1_500 } });
  observer = new Client(daemon.databaseUrl);
  await observer.connect();
});
afterAll(async () => {
  await observer.end();
  await impatient.stop();
  await daemon.stop();
});

const holdSession = ({ em }: Pick<Tx, 'em'>, { session }: TestAgent) =>
  em.execute('select 1 from sessions where id = ? for update', [session.sessionId]);

/** A pool of two connections to the database of the daemon, as a coordinator has it. */
async function openPool(settings: Partial<Record<'lockTimeoutMs' | 'statementTimeoutMs' | 'idleTransactionTimeoutMs', number>>) {
  const config = configSchema.parse({ databaseUrl: daemon.databaseUrl, poolMax: 2, ...settings });
  const { em, close } = await openStore(config);
  const { rows } = await observer.query<{ id: string }>('select id from projects');
  const db = { em, changes: createChanges(createLog({ logLevel: 'silent' })), transactionTriesMax: 3 };
  const run = <T>(work: (tx: Tx) => Promise<T>): Promise<T> => transact(db, rows[0]!.id, work);
  return { run, [Symbol.asyncDispose]: close };
}

/** One request and its answer: a client would send again what is refused for a passing reason. */
async function askOnce(method: string, params: object, { session }: TestAgent): Promise<unknown> {
  const answer = await fetch(`${impatient.httpUrl}/rpc`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${impatient.token}`, 'baton-session': session.resumeToken },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
  });
  return answer.json();
}

const ask =
  (statement = 'select 1 as one') =>
  ({ em }: Tx) =>
    em.execute<{ one: number }[]>(statement);

describe('a call that comes upon a row of a transaction that is stuck', () => {
  test('is refused for a passing reason once it has waited for its limit, not to be repeated by its connection, and stops no other lock call', async () => {
    const [held, other] = [await impatient.connectAgent(), await impatient.connectAgent()];
    await using stuck = await openPool({});
    const key = `test:${crypto.randomUUID()}`;

    const { refused, served } = await stuck.run(async (tx) => {
      await holdSession(tx, held);
      const answer = askOnce('lock/acquire', { keys: [{ key: 'test:stuck' }], waitMs: 100 }, held);
      await eventually(async () => {
        const { rows } = await observer.query(
          `select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock' and query ilike '%sessions%'`,
        );
        expect(rows).not.toHaveLength(0);
      });
      return {
        served: await outcomeOf(other.client.lock.acquire({ keys: [{ key }] })),
        refused: await answer,
      };
    });

    expect(refused).toMatchObject({ error: { data: { kind: 'overloaded', retryable: true, waitedMs: expect.any(Number) as number } } });
    expect(refused).not.toHaveProperty('error.data.retryAfterMs');
    expect(served).toBe('accepted');
  });

  test('is refused for a passing reason where it only reads, too', async () => {
    const agent = await impatient.connectAgent();
    await using stuck = await openPool({});

    const answer = await stuck.run(async ({ em }) => {
      await em.execute('lock table tickets in access exclusive mode');
      return askOnce('ticket/list', {}, agent);
    });

    expect(answer).toMatchObject({ error: { data: { kind: 'overloaded', retryable: true, retryAfterMs: expect.any(Number) as number } } });
  });
});

describe('a transaction that stands still', () => {
  test('is ended by the database: others go on, its own call is refused for a passing reason, and its connection is replaced', async () => {
    const agent = await daemon.connectAgent();
    await using pool = await openPool({ idleTransactionTimeoutMs: 2_000 });
    const [hasBegun, goesOn] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const standing = outcomeOf(
      pool.run(async (tx) => {
        await holdSession(tx, agent);
        hasBegun.resolve();
        await goesOn.promise;
        await holdSession(tx, agent);
      }),
    );
    await hasBegun.promise;

    const other = await outcomeOf(agent.client.lock.acquire({ keys: [{ key: `test:${crypto.randomUUID()}` }] }));
    goesOn.resolve();

    expect(other).toBe('accepted');
    expect(await standing).toBe('database_unavailable');
    expect(await pool.run(ask())).toEqual([{ one: 1 }]);
  });
});

test('a connection that is lost in the midst of a transaction leaves its place in the pool to another', async () => {
  await using pool = await openPool({});
  const outcomes: string[] = [];

  for (let i = 0; i < 3; i += 1) {
    const end = async ({ em }: Tx) => {
      const [backend] = await em.execute<{ pid: number }[]>('select pg_backend_pid() as pid');
      await observer.query('select pg_terminate_backend($1)', [backend?.pid]);
      await em.execute('select 1');
    };
    outcomes.push(await outcomeOf(pool.run(end)));
  }

  expect(outcomes).toEqual(['database_unavailable', 'database_unavailable', 'database_unavailable']);
  expect(await pool.run(ask())).toEqual([{ one: 1 }]);
});

test('a statement that takes longer than it may is refused for a passing reason, and its connection is good for the next', async () => {
  await using pool = await openPool({ statementTimeoutMs: 1_000 });

  expect(await outcomeOf(pool.run(ask('select pg_sleep(60)')))).toBe('overloaded');
  expect(await pool.run(ask())).toEqual([{ one: 1 }]);
});

test('a migration waits for its turn for longer than a call may wait', async () => {
  await using database = await createTestDatabase({ migrated: false });
  const first = new Client(database.url);
  await first.connect();
  await first.query('select pg_advisory_lock(4766001)');

  const limits = { lockTimeoutMs: 1_000, statementTimeoutMs: 1_000, idleTransactionTimeoutMs: 1_000 };
  const opened = openStore(configSchema.parse({ databaseUrl: database.url, ...limits }));
  await eventually(async () => {
    const { rows } = await first.query(
      `select 1 from pg_stat_activity where datname = current_database() and wait_event = 'advisory' and clock_timestamp() - query_start > interval '1200 milliseconds'`,
    );
    expect(rows).toHaveLength(1);
  });
  await first.end();
  const store = await opened;
  const [migrated] = await store.em.fork().execute<{ sessions: number }[]>('select count(*)::int as sessions from sessions');
  await store.close();

  expect(migrated).toEqual({ sessions: 0 });
});
