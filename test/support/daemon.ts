import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startCoordinator } from '@baton/coordinator';
import type { Role } from '@baton/protocol';
import { connect, type Connection } from '@baton/sdk/connection';
import { type Config, configSchema } from '../../coordinator/src/config.ts';
import { createLog } from '../../coordinator/src/log.ts';
import { createTestDatabase, createTestDataFolder, createTestFolder } from './database.ts';
import { registerTestAgent, type TestAgent, type TestAgentOptions } from './test-agent.ts';

export interface StartDaemonOptions {
  readonly store?: 'postgresql' | 'embedded';
  /** A PostgreSQL that another daemon uses already: a second coordinator beside it. */
  readonly databaseUrl?: string;
  readonly config?: Partial<Config>;
}

/** A coordinator in this process, with a store and a data folder of its own. */
export interface Daemon extends AsyncDisposable {
  readonly url: string;
  readonly httpUrl: string;
  readonly dataDir: string;
  readonly tokenFile: string;
  readonly token: string;
  readonly databaseUrl: string | undefined;
  /** Connected as an admin, with the token of the data folder. */
  readonly connection: Connection;
  readonly client: Connection['client'];
  /** One more connection; closed by `stop`. */
  connect(): Promise<Connection>;
  /** A connection with a new token of this role and name. Closed by `stop`. */
  connectAs(role: Role, name?: string): Promise<Connection>;
  /** An agent with a connection of its own; closed by `stop`. */
  connectAgent(options?: TestAgentOptions): Promise<TestAgent>;
  stop(): Promise<void>;
}

/**
 * A test may stand still while others have the processor, also while it holds a row that others wait for, and calls that it makes at
 * once are answered late: only a test that is about leases, waits or limits wants short ones.
 */
const testDefaults: Partial<Config> = {
  callsInFlightMax: 1_000,
  leaseMs: 60_000,
  lockTimeoutMs: 100_000,
  statementTimeoutMs: 100_000,
  idleTransactionTimeoutMs: 100_000,
  summaryWaitMs: 50_000,
  logLevel: 'silent',
  port: 0,
};

/** The project `embedded` of vitest.config.ts runs tests a second time, on the other store. */
const defaultStore = process.env['BATON_TEST_STORE'] === 'embedded' ? 'embedded' : 'postgresql';

export async function startDaemon({ store = defaultStore, databaseUrl: given, config = {} }: StartDaemonOptions = {}): Promise<Daemon> {
  const database = store === 'postgresql' && given === undefined ? await createTestDatabase() : undefined;
  const databaseUrl = given ?? database?.url;
  const folder = store === 'embedded' ? await createTestDataFolder() : await createTestFolder();
  const dataDir = folder.path;
  const cleanUp = async () => {
    await database?.drop();
    await folder.remove();
  };

  try {
    const settings = { dataDir, ...(databaseUrl !== undefined && { databaseUrl }), ...testDefaults, ...config };
    const settled = configSchema.parse(settings);
    const coordinator = await startCoordinator(settled, { log: createLog(settled) });
    const tokenFile = join(dataDir, 'token');
    const token = (await readFile(tokenFile, 'utf8')).trim();
    const { url, httpUrl } = coordinator;

    const connections: Connection[] = [];
    const open = async (bearer: string = token) => {
      const connection = await connect({ url, token: bearer, reconnect: false });
      connections.push(connection);
      return connection;
    };
    const connection = await open();
    const stop = async () => {
      await Promise.all(connections.map(({ close }) => close()));
      await coordinator.stop();
      await cleanUp();
    };
    return {
      url,
      httpUrl,
      dataDir,
      tokenFile,
      token,
      databaseUrl,
      connection,
      client: connection.client,
      connect: () => open(),
      connectAs: async (role, name = `${role} of a test`) => open((await connection.client.token.create({ name, role })).token),
      connectAgent: async (options) => registerTestAgent(await open(), options),
      stop,
      [Symbol.asyncDispose]: stop,
    };
  } catch (error) {
    await cleanUp();
    throw error;
  }
}
