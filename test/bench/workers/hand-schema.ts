import type { Client } from 'pg';

/** What somebody writes who needs a queue, locks with fences and a list of living workers, and nothing around them. */
export const handSchema = `
  create table if not exists tasks (
    id uuid primary key default gen_random_uuid(),
    type text not null,
    input jsonb not null,
    state text not null default 'ready',
    rank timestamptz not null default clock_timestamp(),
    attempt int not null default 0,
    worker text,
    output jsonb,
    started_at timestamptz,
    finished_at timestamptz
  );
  create index if not exists tasks_ready on tasks (rank, id) where state = 'ready';
  create table if not exists locks (
    key text primary key,
    fence bigint not null default 0,
    holder text,
    expires_at timestamptz
  );
  create table if not exists sessions (
    id text primary key,
    lease_until timestamptz not null
  )`;

interface Named {
  readonly name: string;
  readonly text: string;
}

// Statements with a name are planned once for each connection.
export const statements = {
  enqueue: {
    name: 'enqueue',
    text: `insert into tasks (type, input) select x.type, '{}' from jsonb_to_recordset($1::jsonb) as x(type text)`,
  },
  enqueueAndNotify: {
    name: 'enqueue-and-notify',
    text: `with new as (insert into tasks (type, input) values ('bench', '{}') returning id) select id, pg_notify('tasks', '') from new`,
  },
  claim: {
    name: 'claim',
    text: `update tasks set state = 'running', attempt = attempt + 1, worker = $1, started_at = clock_timestamp()
      where id = any(array(select id from tasks where state = 'ready' order by rank, id limit $2 for update skip locked)) returning id, attempt`,
  },
  complete: {
    name: 'complete',
    text: `update tasks set state = 'completed', output = '{}', finished_at = clock_timestamp()
      where id = any($1::uuid[]) and state = 'running' and worker = $2 returning id`,
  },
  acquire: {
    name: 'acquire',
    text: `insert into locks (key, fence, holder, expires_at) values ($1, 1, $2, clock_timestamp() + interval '1 minute')
      on conflict (key) do update set fence = locks.fence + 1, holder = excluded.holder, expires_at = excluded.expires_at
      where locks.holder is null or locks.expires_at < clock_timestamp() returning fence`,
  },
  release: { name: 'release', text: `update locks set holder = null where key = $1 and holder = $2 and fence = $3` },
  advisoryLock: { name: 'advisory-lock', text: `select pg_advisory_lock(hashtext($1))` },
  advisoryUnlock: { name: 'advisory-unlock', text: `select pg_advisory_unlock(hashtext($1))` },
  beat: { name: 'beat', text: `update sessions set lease_until = clock_timestamp() + interval '15 seconds' where id = any($1::text[])` },
} as const satisfies Readonly<Record<string, Named>>;

export type StatementName = keyof typeof statements;

/** Runs a statement of the table above. */
export async function run<Row extends object>(
  client: Client,
  name: StatementName,
  values: readonly unknown[] = [],
): Promise<readonly Row[]> {
  const { rows } = await client.query<Row>({ ...statements[name], values: [...values] });
  return rows;
}
