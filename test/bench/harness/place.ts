import { rmSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Client as BatonClient } from '@baton/protocol';
import { connect } from '@baton/sdk/connection';
import { Client } from 'pg';
import { spawnDaemon } from '../../support/process.ts';
import { runStatement, withDatabase } from '../../support/stores.ts';
import { watchCores } from './clock.ts';

export interface PlaceOptions {
  /** Of a superuser of the server that both sides use. */
  readonly serverUrl: string;
  /** Settings of the coordinator. */
  readonly environment?: Readonly<Record<string, string>> | undefined;
  /** Where the coordinator leaves a profile of its processor time when it ends. */
  readonly profileFolder?: string | undefined;
}

/** Where a bench takes place: a coordinator in its own process, and a database of the same server for statements written by hand. */
export interface Place extends AsyncDisposable {
  readonly url: string;
  readonly tokenFile: string;
  readonly token: string;
  /** As an admin. */
  readonly client: BatonClient;
  /** The database of the coordinator. */
  readonly batonUrl: string;
  readonly baton: Client;
  /** The database for statements written by hand. */
  readonly handUrl: string;
  readonly hand: Client;
  /** Begins to measure how many processors the coordinator keeps busy; what it returns ends it. */
  watchCoordinator(): () => number | undefined;
}

let count = 0;

export async function openPlace({ serverUrl, environment, profileFolder }: PlaceOptions): Promise<Place> {
  await using stack = new AsyncDisposableStack();
  const database = async (purpose: string) => {
    const name = `baton_bench_${purpose}_${process.pid}_${(count += 1)}`;
    await runStatement(serverUrl, `create database ${name}`);
    stack.defer(() => runStatement(serverUrl, `drop database if exists ${name} with (force)`));
    return withDatabase(serverUrl, name);
  };
  const open = async (url: string) => {
    const client = new Client(url);
    await client.connect();
    stack.defer(() => client.end());
    return client;
  };

  const folder = await mkdtemp(join(tmpdir(), 'baton-bench-'));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const batonUrl = await database('baton');
  const handUrl = await database('hand');
  const env = {
    ...environment,
    DATABASE_URL: batonUrl,
    ...(profileFolder !== undefined && { NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${profileFolder}` }),
  };
  const daemon = stack.use(await spawnDaemon(['--data', folder], { env }));
  // An end of this process that nobody foresaw: the data goes with the coordinator.
  const abandon = () => {
    daemon.kill('SIGKILL');
    // An interruption of the terminal meets the coordinator as well, which may be removing a file of its own.
    rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
  };
  process.once('exit', abandon);
  stack.defer(() => void process.off('exit', abandon));
  const { url, tokenFile } = daemon.ready;
  const token = (await readFile(tokenFile, 'utf8')).trim();
  const { client } = stack.use(await connect({ url, token }));
  const place = { url, tokenFile, token, client, batonUrl, handUrl, baton: await open(batonUrl), hand: await open(handUrl) };

  const opened = stack.move();
  return { ...place, watchCoordinator: () => watchCores(daemon.pid), [Symbol.asyncDispose]: () => opened.disposeAsync() };
}
