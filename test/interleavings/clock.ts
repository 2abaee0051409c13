import type { Client } from 'pg';

/**
 * Puts a clock of the test's own before PostgreSQL's, for all connections that are opened from here on: it stands still, and
 * goes on only as far as it is told to, so that a slow machine changes nothing. It lies in a sequence, which no snapshot and
 * no transaction holds back, as it is with time. The statements of the product are not changed; the functions that they
 * name are found here first.
 * @returns how to let time pass
 */
export async function installClock(client: Client): Promise<(ms: number) => Promise<void>> {
  await client.query('create schema test_clock');
  await client.query('create sequence test_clock.lead_ms minvalue 0 start 0');
  const { rows } = await client.query<{ name: string; now: string }>(
    'select current_database() as name, pg_catalog.clock_timestamp()::text as now',
  );
  const [{ name, now } = { name: '', now: '' }] = rows;
  for (const clock of ['clock_timestamp', 'statement_timestamp']) {
    await client.query(`create function test_clock.${clock}() returns timestamptz language sql volatile as
      $$ select '${now}'::timestamptz + (select last_value from test_clock.lead_ms) * interval '1 millisecond' $$`);
  }
  await client.query(`create function test_clock.pass(ms int) returns bigint language sql volatile as
    $$ select setval('test_clock.lead_ms', (select last_value from test_clock.lead_ms) + ms) $$`);
  // Defaults of columns were bound to PostgreSQL's clock when the tables were made.
  await client.query(`do $$ declare c record; begin
    for c in select d.adrelid::regclass as place, a.attname as name from pg_attrdef d
        join pg_attribute a on a.attrelid = d.adrelid and a.attnum = d.adnum
        where pg_get_expr(d.adbin, d.adrelid) in ('clock_timestamp()', 'statement_timestamp()') loop
      execute format('alter table %s alter column %I set default test_clock.clock_timestamp()', c.place, c.name);
    end loop; end $$`);
  // Tables are made in the first of these; a function is taken from the first that has it.
  await client.query(`alter database ${name} set search_path = public, test_clock, pg_catalog`);
  // A circle is found soon, so that a schedule with one does not take a second; only a superuser may say so.
  await client.query(`alter database ${name} set deadlock_timeout = '20ms'`).catch(() => undefined);
  return async (ms) => {
    await client.query('select test_clock.pass($1)', [ms]);
  };
}
