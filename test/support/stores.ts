import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, get, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { Client } from 'pg';
import { startPostgres } from './postgres.ts';

/** A migrated database to clone: on the server at `url`, under the name `template`. */
export interface PostgresTemplate {
  readonly url: string;
  readonly template: string;
}

/** A data folder with a migrated embedded store, to copy. */
export interface EmbeddedTemplate {
  readonly folder: string;
}

interface Templates {
  readonly postgresql: PostgresTemplate;
  readonly embedded: EmbeddedTemplate;
}

export interface Stores {
  /** The socket at which a test file asks for a template. */
  readonly socket: string;
  stop(): Promise<void>;
}

/**
 * What all test files of a run share: one PostgreSQL server and one migrated template of each store, made when the first test asks.
 * A run of pure tests starts no database at all.
 */
export async function openStores(): Promise<Stores> {
  const folder = mkdtempSync(join(tmpdir(), 'baton-test-'));
  const socket = join(folder, 'stores.sock');
  const server = makeOnce(startPostgres);
  const make = {
    postgresql: makeOnce(async () => makePostgresTemplate((await server.get()).url)),
    embedded: makeOnce(() => makeEmbeddedTemplate(join(folder, 'embedded'))),
  };

  const listener = createServer((request, response) => {
    const store = request.url === '/embedded' ? 'embedded' : 'postgresql';
    make[store].get().then(
      (template) => response.end(JSON.stringify(template)),
      (error: unknown) => response.writeHead(500).end(error instanceof Error ? error.message : String(error)),
    );
  });
  listener.listen(socket);
  await once(listener, 'listening');

  const stop = async () => {
    listener.close();
    listener.closeAllConnections();
    const made = await make.postgresql.made();
    if (made !== undefined) await runStatement(made.url, `drop database if exists ${made.template} with (force)`);
    await (await server.made())?.stop();
    await make.embedded.made();
    rmSync(folder, { recursive: true, force: true });
  };
  return { socket, stop };
}

/** The template of a store, made by whoever asks first. */
export async function getTemplate<S extends keyof Templates>(socket: string, store: S): Promise<Templates[S]> {
  const request = get({ socketPath: socket, path: `/${store}`, agent: false });
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  const answer = await text(response);
  if (response.statusCode !== 200) throw new Error(answer);
  return JSON.parse(answer) as Templates[S];
}

/** Makes a thing when it is first asked for. `made` waits for it if it is being made, and answers nothing if nobody asked or it failed. */
function makeOnce<T>(make: () => Promise<T>) {
  let promise: Promise<T> | undefined;
  return {
    get: () => (promise ??= make()),
    made: async () => promise?.catch(() => undefined),
  };
}

async function makePostgresTemplate(url: string): Promise<PostgresTemplate> {
  // The server may be someone's own and serve several runs at once.
  const template = `baton_test_${process.pid}_${Date.now().toString(36)}`;
  await runStatement(url, `create database ${template}`);
  await migrate('postgresql', withDatabase(url, template));
  return { url, template };
}

async function makeEmbeddedTemplate(folder: string): Promise<EmbeddedTemplate> {
  await migrate('embedded', folder);
  return { folder };
}

/** Opens a store once, in a process of its own: the runner of the tests stays small and needs no conditions. */
async function migrate(store: keyof Templates, place: string): Promise<void> {
  const script = join(import.meta.dirname, 'migrate-store.ts');
  await promisify(execFile)(process.execPath, ['--conditions=source', '--disable-warning=ExperimentalWarning', script, store, place]);
}

/** The same server, another database. */
export function withDatabase(url: string, database: string): string {
  const changed = new URL(url);
  changed.pathname = `/${database}`;
  return changed.href;
}

/** Runs one statement on a connection of its own. `create database` and `drop database` allow nothing else beside them. */
export async function runStatement(url: string, statement: string): Promise<void> {
  const client = new Client(url);
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
