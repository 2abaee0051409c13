import { Client } from 'pg';
import { expect, test } from 'vitest';
import { configSchema } from '../../coordinator/src/config.ts';
import { openStore } from '../../coordinator/src/db/open-store.ts';
import { listDueKeys } from '../../coordinator/src/lock/lock-due.store.ts';
import { createTestDatabase } from '../support/database.ts';

test('a project whose keys stay due takes no place in the sweep from the others', async () => {
  await using database = await createTestDatabase();
  const client = new Client(database.url);
  await client.connect();
  const addProject = async (name: string, ...keys: readonly string[]) => {
    const id = crypto.randomUUID();
    await client.query('insert into projects (id, name, created_at) values ($1, $2, now())', [id, name]);
    await client.query('insert into lock_due (project_id, key) select $1, unnest($2::text[])', [id, keys]);
    return id;
  };
  const first = await addProject('first', 'a:1', 'a:2', 'a:3');
  const other = await addProject('other', 'b:1', 'b:2');
  await client.end();

  const { em, close } = await openStore(configSchema.parse({ databaseUrl: database.url }));
  const due = await listDueKeys(em.fork(), 2);
  await close();

  expect(new Map(due.map(({ projectId, keys }) => [projectId, keys]))).toEqual(
    new Map([
      [first, ['a:1']],
      [other, ['b:1']],
    ]),
  );
});
