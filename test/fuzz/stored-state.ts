import { Client } from 'pg';

/** Columns that time changes, whatever is asked. */
const volatileColumns = ['last_seen_at', 'lease_until', 'last_used_at'];

/** What lies in the database, in a text that changes with any row. */
export interface StoredState {
  /** Only grows; equal values mean that nothing at all was written in between. */
  readTransactionNumber(): Promise<string>;
  readDigests(): Promise<Readonly<Record<string, string>>>;
  /** Of all rows of one project. */
  readProject(projectName: string): Promise<Readonly<Record<string, string>>>;
  close(): Promise<void>;
}

export async function openStoredState(databaseUrl: string): Promise<StoredState> {
  const client = new Client(databaseUrl);
  await client.connect();
  const { rows: tables } = await client.query<{ name: string; columns: string[] }>(
    `select table_name as name, array_agg(column_name::text) as columns from information_schema.columns
     where table_schema = 'public' and table_name not like 'mikro%' group by 1 order by 1`,
  );
  // An event moves the number of its stream, so that the longest table of all need not be read.
  const digests = tables.flatMap(({ name, columns }) => {
    if (name === 'events') return [];
    // A row that was written again has another xmin; where time writes too, what was written is compared.
    const row = columns.some((column) => volatileColumns.includes(column))
      ? `hashtextextended((to_jsonb(t) - '{${volatileColumns.join(',')}}'::text[])::text, 0)`
      : `t.xmin::text::bigint`;
    return [`select '${name}' as name, concat_ws('/', count(*), sum(${row})) as digest from ${name} t`];
  });
  const ofProject = tables.flatMap(({ name, columns }) =>
    columns.includes('project_id')
      ? [
          `select '${name}' as name, md5(coalesce(string_agg(t::text, '|' order by t::text), '')) as digest from ${name} t where t.project_id = $1`,
        ]
      : [],
  );
  const read = async (queries: readonly string[], values: readonly unknown[] = []) => {
    const { rows } = await client.query<{ name: string; digest: string }>(queries.join(' union all '), [...values]);
    return Object.fromEntries(rows.map(({ name, digest }) => [name, digest]));
  };

  return {
    async readTransactionNumber() {
      const { rows } = await client.query<{ number: string }>('select pg_snapshot_xmax(pg_current_snapshot())::text as number');
      return rows[0]!.number;
    },
    readDigests: () => read(digests),
    async readProject(projectName) {
      const { rows } = await client.query<{ id: string }>('select id from projects where name = $1', [projectName]);
      return read(ofProject, [rows[0]!.id]);
    },
    close: () => client.end(),
  };
}
