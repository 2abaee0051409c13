import { execFile, execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chownSync, cpSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { findPostgresBinaries, type PostgresBinaries } from './postgres-binaries.ts';

export interface PostgresServer {
  /** Of a superuser in the database `postgres`. */
  readonly url: string;
  /** Where it came from, for a person. */
  readonly origin: string;
  stop(): Promise<void>;
}

/** PostgreSQL refuses to run as root, so root starts it as one of these. */
const ordinaryUsers = ['postgres', 'nobody'];

interface Owner {
  readonly uid: number;
  readonly gid: number;
}

export interface PostgresOptions {
  /** Settings of the server, beside those that suit tests or instead of them. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** The server named by `BATON_TEST_DATABASE_URL`, else one started from the first binaries that work. */
export async function startPostgres({ settings = {} }: PostgresOptions = {}): Promise<PostgresServer> {
  const given = process.env['BATON_TEST_DATABASE_URL'];
  if (given !== undefined && given !== '') return { url: given, origin: 'BATON_TEST_DATABASE_URL', stop: async () => {} };

  const failures: string[] = [];
  for (const binaries of findPostgresBinaries()) {
    try {
      return await startAnywhere(binaries, { ...testSettings, ...settings }, failures);
    } catch (error) {
      failures.push(`${binaries.origin} (${binaries.directory}): ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  throw new Error(
    `No PostgreSQL for the tests. Set BATON_TEST_DATABASE_URL or install PostgreSQL 15 or later.\n  ${failures.join('\n  ')}`,
  );
}

/** At a free port. Somebody else may be given it before the server has taken it: then at another. */
async function startAnywhere(...args: Parameters<typeof startServer>): Promise<PostgresServer> {
  for (;;) {
    try {
      return await startServer(...args);
    } catch (error) {
      if (!(error instanceof Error) || !error.message.includes('Address already in use')) throw error;
    }
  }
}

async function startServer(
  binaries: PostgresBinaries,
  settings: Readonly<Record<string, string>>,
  earlierFailures: readonly string[],
): Promise<PostgresServer> {
  const owner = process.getuid?.() === 0 ? ordinaryUser() : undefined;
  const folder = makeFolder(owner);
  try {
    const directory = reachableCopy(binaries.directory, folder, owner);
    const password = randomBytes(16).toString('hex');
    await initialise({ directory, folder, password, owner });
    const port = await freePort();
    const stop = await launch({ directory, folder, port, owner, settings });
    const fallback = earlierFailures.length === 0 ? '' : `; passed over ${earlierFailures.join('; ')}`;
    return { url: `postgres://baton:${password}@127.0.0.1:${port}/postgres`, origin: `${binaries.origin}, ${directory}${fallback}`, stop };
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
}

function ordinaryUser(): Owner {
  const idOf = (flag: string, user: string) =>
    Number(execFileSync('id', [flag, user], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }));
  for (const user of ordinaryUsers) {
    try {
      return { uid: idOf('-u', user), gid: idOf('-g', user) };
    } catch {
      // This machine has no such user.
    }
  }
  throw new Error(`PostgreSQL does not run as root, and there is no user ${ordinaryUsers.join(' or ')} to run it as.`);
}

/** A folder of its own for the data, below a place that the owner can enter. */
function makeFolder(owner: Owner | undefined): string {
  const parent = owner === undefined ? tmpdir() : [tmpdir(), '/tmp', '/var/tmp'].find(isOpenToAll);
  if (parent === undefined) throw new Error('There is no temporary folder that an ordinary user can enter.');
  const folder = mkdtempSync(join(parent, 'baton-postgres-'));
  if (owner !== undefined) chownSync(folder, owner.uid, owner.gid);
  return folder;
}

/** The binaries may lie in a checkout that only root can enter: then the owner gets a copy. */
function reachableCopy(directory: string, folder: string, owner: Owner | undefined): string {
  if (owner === undefined || isOpenToAll(directory)) return directory;
  const copy = join(folder, 'program');
  cpSync(dirname(directory), copy, { recursive: true, verbatimSymlinks: true });
  // The owner removes it in the end.
  execFileSync('chown', ['-R', `${owner.uid}:${owner.gid}`, copy]);
  return join(copy, 'bin');
}

function isOpenToAll(path: string): boolean {
  try {
    const open = (statSync(path).mode & 0o001) !== 0;
    return open && (path === dirname(path) || isOpenToAll(dirname(path)));
  } catch {
    return false;
  }
}

interface Server {
  readonly directory: string;
  readonly folder: string;
  readonly owner: Owner | undefined;
}

// Messages in English and sorting by bytes, whatever the machine speaks.
const environment = () => ({ PATH: process.env['PATH'] ?? '', LC_ALL: 'C', TZ: 'UTC' });

async function initialise({ directory, folder, owner, password }: Server & { readonly password: string }): Promise<void> {
  const passwordFile = join(folder, 'password');
  writeFileSync(passwordFile, password, { mode: 0o600 });
  if (owner !== undefined) chownSync(passwordFile, owner.uid, owner.gid);
  const options = ['--username=baton', `--pwfile=${passwordFile}`, '--auth=password', '--encoding=UTF8', '--locale=C', '--no-sync'];
  await promisify(execFile)(join(directory, 'initdb'), [...options, '--pgdata', join(folder, 'data')], {
    ...owner,
    cwd: folder,
    env: environment(),
  });
}

/** Nothing here has to survive: a crash of the tests loses only what the tests made. */
const testSettings = {
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  shared_buffers: '64MB',
  max_connections: '200',
  max_wal_size: '512MB',
  autovacuum_naptime: '10s',
  unix_socket_directories: '',
  listen_addresses: '127.0.0.1',
};

/**
 * The shell that is the server's parent. It waits for the end of its standard input, which comes however the tests end, kill -9
 * included; then it stops the server and removes the folder.
 */
const guard = `
  folder=$1; shift
  "$@" </dev/null &
  server=$!
  exec 2>/dev/null
  read -r _
  kill -INT "$server"
  wait "$server"
  rm -rf -- "$folder"
`;

/** Starts the server and waits until it accepts connections. Answers how to stop it. */
async function launch({
  directory,
  folder,
  port,
  owner,
  settings,
}: Server & { readonly port: number; readonly settings: Readonly<Record<string, string>> }): Promise<() => Promise<void>> {
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const command = [join(directory, 'postgres'), '-D', join(folder, 'data'), '-p', String(port), ...flags];
  // A session of its own, so that Ctrl-C in the terminal reaches the tests first and the server only through its guard.
  const child = spawn('sh', ['-c', guard, 'sh', folder, ...command], {
    ...owner,
    cwd: folder,
    env: environment(),
    detached: true,
    stdio: ['pipe', 'ignore', 'pipe'],
  });
  const exited = once(child, 'exit');

  const said: string[] = [];
  const isReady = await new Promise<boolean>((resolve) => {
    const lines = createInterface(child.stderr);
    lines.on('line', (line) => {
      said.push(line);
      if (line.includes('database system is ready to accept connections')) resolve(true);
    });
    lines.on('close', () => resolve(false));
  });
  const stop = async () => {
    child.ref();
    child.stdin.end();
    await exited;
  };
  if (!isReady) {
    await stop();
    throw new Error(`postgres did not start: ${said.slice(-5).join(' / ')}`);
  }
  child.stderr.resume();
  // The teardown stops it; an end of the process without teardown closes the pipe. Neither is held up by it.
  child.unref();
  return stop;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('No port.');
  return address.port;
}
