import { availableParallelism, totalmem } from 'node:os';
import type { Client } from 'pg';

/** What figures depend on and nobody else has the same. */
export interface Machine {
  readonly cores: number;
  readonly memoryGb: number;
  readonly platform: string;
  readonly node: string;
  readonly postgres: string;
  /** The settings of the server that decide what a commit costs. */
  readonly settings: Readonly<Record<string, string>>;
  /** Rows a second that one connection inserts and commits one by one: what the disk gives. */
  readonly commitsPerSecond: number;
}

const told = ['fsync', 'synchronous_commit', 'full_page_writes', 'shared_buffers'] as const;
const commits = 500;

export async function describeMachine(client: Client): Promise<Machine> {
  const settings = await client.query<{ name: string; value: string }>(
    `select name, current_setting(name) as value from pg_settings where name = any($1::text[]) order by name`,
    [told],
  );
  const version = await client.query<{ server_version: string }>('show server_version');
  return {
    cores: availableParallelism(),
    memoryGb: Math.round(totalmem() / 2 ** 30),
    platform: `${process.platform} ${process.arch}`,
    node: process.versions.node,
    postgres: version.rows[0]?.server_version.split(' ')[0] ?? 'unknown',
    settings: Object.fromEntries(settings.rows.map(({ name, value }) => [name, value])),
    commitsPerSecond: await countCommits(client),
  };
}

async function countCommits(client: Client): Promise<number> {
  await client.query('create table if not exists commits (n int)');
  const since = performance.now();
  for (let n = 0; n < commits; n += 1) await client.query({ name: 'commit', text: 'insert into commits values ($1)', values: [n] });
  const perSecond = (commits * 1_000) / (performance.now() - since);
  await client.query('drop table commits');
  return Math.round(perSecond);
}
