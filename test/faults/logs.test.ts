import { Client, DatabaseError } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createLog } from '../../coordinator/src/log.ts';
import { translateDatabaseError } from '../../coordinator/src/db/errors.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

let database: TestDatabase;
let client: Client;
beforeAll(async () => {
  database = await createTestDatabase();
  client = new Client(database.url);
  await client.connect();
});
afterAll(async () => {
  await client.end();
  await database.drop();
});

const secret = 'payload-secret';

/** What the log writes of an error. */
function log(error: unknown): { readonly text: string; readonly err: Record<string, unknown> } {
  const lines: string[] = [];
  createLog({ logLevel: 'error' }, { write: (line) => void lines.push(line) }).error({ err: error }, 'it failed');
  const text = lines.join('');
  return { text, err: (JSON.parse(text) as { err: Record<string, unknown> }).err };
}

async function fail(statement: string): Promise<unknown> {
  const error: unknown = await client.query(statement, [secret]).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(DatabaseError);
  return error;
}

test.each([
  ['a value that does not fit its type', 'select $1::text::int', { code: '22P02' }],
  [
    'a row that breaks a constraint',
    'insert into lock_keys (project_id, key) values (gen_random_uuid(), $1)',
    { code: '23503', table: 'lock_keys', constraint: expect.any(String) as string },
  ],
  ['a column that is missing', 'insert into lock_keys (key) values ($1)', { code: '23502', table: 'lock_keys' }],
])('the log of %s names what helps to find it and none of its values', async (_, statement, told) => {
  const { text, err } = log(await fail(statement));

  expect(text).not.toContain(secret);
  expect(err).toMatchObject({ ...told, routine: expect.any(String) as string, stack: expect.stringMatching(/^ {4}at /) as string });
});

test('the values stay out of the log where another error has the cause', async () => {
  const cause = await fail('select $1::text::int');

  const { text, err } = log(new Error('A call failed.', { cause }));

  expect(text).not.toContain(secret);
  expect(err).toMatchObject({ message: 'A call failed.', cause: { code: '22P02' } });
});

test('an error of the catalogue is logged with its kind, its words and its cause', () => {
  const { err } = log(translateDatabaseError(Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })));

  expect(err).toMatchObject({
    kind: 'database_unavailable',
    message: 'The database cannot be reached.',
    cause: { message: 'connect ECONNREFUSED', code: 'ECONNREFUSED' },
  });
});
