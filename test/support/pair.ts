import { type Client, createClient } from '@baton/protocol';
import { callOverHttp } from '@baton/sdk/connection';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { Client as Postgres } from 'pg';
import type { Config } from '../../coordinator/src/config.ts';
import { createTestDatabase, createTestFolder } from './database.ts';
import { startDaemon } from './daemon.ts';
import { type SpawnedDaemon, spawnDaemon } from './process.ts';

/** One of the coordinators, asked over HTTP: a call of a session may go to either. */
export interface Site {
  readonly url: string;
  readonly httpUrl: string;
  readonly token: string;
  /** As an admin. */
  readonly client: Client;
  /** As the session with this resume token. */
  clientOf(sessionToken: string): Client;
}

/** Two coordinators over one database, and a connection to look into it. */
export interface Pair extends AsyncDisposable {
  readonly sites: readonly [Site, Site];
  readonly databaseUrl: string;
  readonly observer: Postgres;
}

const toSite = ({ url, httpUrl, token }: Pick<Site, 'url' | 'httpUrl' | 'token'>): Site => ({
  url,
  httpUrl,
  token,
  client: createClient(callOverHttp({ url: httpUrl, token })),
  clientOf: (sessionToken) => createClient(callOverHttp({ url: httpUrl, token, sessionToken })),
});

/** Both in this process. */
export async function startPair(config: Partial<Config> = {}): Promise<Pair> {
  const first = await startDaemon({ store: 'postgresql', config });
  const second = await startDaemon({ databaseUrl: first.databaseUrl!, config });
  const observer = await observe(first.databaseUrl!);
  // One token at both: an idempotency key belongs to the token that sent it.
  const { token } = first;
  return {
    sites: [toSite({ ...first, token }), toSite({ ...second, token })],
    databaseUrl: first.databaseUrl!,
    observer,
    async [Symbol.asyncDispose]() {
      await observer.end();
      await second.stop();
      await first.stop();
    },
  };
}

/** Two coordinators that can be killed, each in a process of its own. */
export interface SpawnedPair extends Pair {
  /** Ends one without warning, and starts it again at the same address. */
  killAndRestart(which: 0 | 1): Promise<void>;
}

export async function spawnPair(env: NodeJS.ProcessEnv = {}): Promise<SpawnedPair> {
  const database = await createTestDatabase();
  const folders = [await createTestFolder('first'), await createTestFolder('second')] as const;
  const cleanUp = async () => {
    await database.drop();
    for (const folder of folders) await folder.remove();
  };
  const ports = [await choosePort(), await choosePort()] as const;
  const start = (which: 0 | 1) =>
    spawnDaemon(['--data', folders[which].path, '--database-url', database.url, '--port', String(ports[which]), '--log-level', 'error'], {
      env,
    });

  try {
    const daemons: [SpawnedDaemon, SpawnedDaemon] = await Promise.all([start(0), start(1)]);
    const token = (await readFile(daemons[0].ready.tokenFile, 'utf8')).trim();
    const observer = await observe(database.url);
    return {
      sites: [toSite({ ...daemons[0].ready, token }), toSite({ ...daemons[1].ready, token })],
      databaseUrl: database.url,
      observer,
      async killAndRestart(which) {
        const { kill, exited } = daemons[which];
        kill('SIGKILL');
        await exited;
        daemons[which] = await start(which);
      },
      async [Symbol.asyncDispose]() {
        await observer.end();
        await Promise.all(daemons.map((daemon) => daemon[Symbol.asyncDispose]()));
        await cleanUp();
      },
    };
  } catch (error) {
    await cleanUp();
    throw error;
  }
}

let count = 0;

/**
 * A port that nobody is given by chance while a coordinator is away that will come back to it: below those that systems hand out,
 * and another in every process.
 */
async function choosePort(): Promise<number> {
  for (;;) {
    const port = 20_000 + ((process.pid * 10 + (count += 1)) % 10_000);
    const server = createServer().listen(port, '127.0.0.1');
    const isFree = await once(server, 'listening').then(
      () => true,
      () => false,
    );
    if (!isFree) continue;
    server.close();
    await once(server, 'close');
    return port;
  }
}

async function observe(databaseUrl: string): Promise<Postgres> {
  const observer = new Postgres(databaseUrl);
  // The database is dropped while this may still be open, where a test has failed.
  observer.on('error', () => {});
  await observer.connect();
  return observer;
}
