import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { CoordinatorError, type Durability } from '@baton/protocol';
import type { MikroORM as AnyOrm } from '@mikro-orm/core';
import { Migrator } from '@mikro-orm/migrations';
import { MikroORM as EmbeddedOrm } from '@mikro-orm/pglite';
import { MikroORM as PostgresOrm } from '@mikro-orm/postgresql';
import { sql } from 'kysely';
import { First } from '../../migrations/0001-first.ts';
import type { Config } from '../config.ts';
import { entities } from './entities.ts';
import { freeLostConnections } from './lost-connections.ts';
import type { EntityManager } from './orm.ts';
import { rowsOf } from './rows.ts';

export interface Store {
  readonly em: EntityManager;
  readonly durability: Durability;
  close(): Promise<void>;
}

const common = {
  entities,
  extensions: [Migrator],
  migrations: { migrationsList: [{ name: '0001-first', class: First }], snapshot: false },
  // The only lines the ORM would print are progress of migrations and warnings about the pool; errors reach us as errors.
  logger: () => undefined,
  forceUtcTimezone: true,
};

/**
 * Opens the database and brings its schema up to date: PostgreSQL where a URL is given, else the embedded store in the data
 * folder, which must be held by this process (see `data-folder.ts`).
 */
export async function openStore(config: Pick<Config, 'databaseUrl' | 'dataDir'> & PoolLimits): Promise<Store> {
  const { databaseUrl } = config;
  return databaseUrl === undefined ? openEmbedded(config.dataDir) : openPostgres(databaseUrl, config);
}

type PoolLimits = Pick<Config, 'poolMax' | 'lockTimeoutMs' | 'statementTimeoutMs' | 'idleTransactionTimeoutMs'>;

async function openEmbedded(dataDir: string): Promise<Store> {
  const folder = join(dataDir, 'store');
  await mkdir(folder, { recursive: true });
  const orm = await EmbeddedOrm.init({ ...common, dbName: folder });
  await orm.migrator.up();
  return toStore(orm, {
    store: 'embedded',
    survivesProcessCrash: true,
    survivesPowerLoss: 'no',
    explanation:
      'Embedded store: acknowledged writes survive a crash of the coordinator, not the loss of power. Set DATABASE_URL for production.',
  });
}

async function openPostgres(databaseUrl: string, limits: PoolLimits): Promise<Store> {
  const orm = await PostgresOrm.init({
    ...common,
    clientUrl: databaseUrl,
    pool: { max: limits.poolMax },
    driverOptions: {
      connectionTimeoutMillis: 10_000,
      application_name: 'baton',
      // Statements take milliseconds, and compiling one that the planner takes for a large one takes seconds.
      options: '-c jit=off',
      lock_timeout: limits.lockTimeoutMs,
      statement_timeout: limits.statementTimeoutMs,
      idle_in_transaction_session_timeout: limits.idleTransactionTimeoutMs,
      onPoolCreated: freeLostConnections,
    },
  });
  try {
    await migrateAlone(orm);
  } catch (error) {
    await orm.close(true);
    throw toOpenError(error, databaseUrl);
  }
  return toStore(orm, {
    store: 'postgresql',
    survivesProcessCrash: true,
    survivesPowerLoss: 'depends',
    explanation:
      'PostgreSQL: acknowledged writes are committed; what they survive is set by the server (fsync, synchronous_commit, replication).',
  });
}

const toStore = (orm: AnyOrm, durability: Durability): Store => ({
  em: orm.em as unknown as EntityManager,
  durability,
  close: () => orm.close(true),
});

/** Any number, the same in every coordinator: the key of the lock that lets one of them migrate at a time. */
const migrationLock = 4_766_001;

/** Waits for its turn, and takes the time it needs: what limits calls does not limit a migration. */
async function migrateAlone(orm: PostgresOrm): Promise<void> {
  await orm.em.fork().transactional(async (em) => {
    const alone = em as unknown as EntityManager;
    for (const setting of ['lock_timeout', 'statement_timeout', 'idle_in_transaction_session_timeout'])
      await rowsOf(alone, sql`select set_config(${setting}, '0', true)`);
    await rowsOf(alone, sql`select pg_advisory_xact_lock(${migrationLock}::bigint)`);
    await orm.migrator.up({ transaction: em.getTransactionContext<unknown>() });
  });
}

function toOpenError(error: unknown, databaseUrl: string): CoordinatorError {
  const { hostname, port, pathname } = new URL(databaseUrl);
  const [reason] = (error instanceof Error ? error.message : String(error)).split('\n');
  const place = `database ${decodeURIComponent(pathname.slice(1))} at ${hostname}:${port || '5432'}`;
  return new CoordinatorError(
    'database_unavailable',
    { message: `${reason} (${place}). Check DATABASE_URL and that the server runs.` },
    { cause: error },
  );
}
