import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inject } from 'vitest';
import { getTemplate, runStatement, withDatabase } from './stores.ts';

export interface TestDatabase extends AsyncDisposable {
  readonly url: string;
  drop(): Promise<void>;
}

let count = 0;

/** A database of this test file's own on a real PostgreSQL: a clone of the migrated template, or an empty one. */
export async function createTestDatabase({ migrated = true } = {}): Promise<TestDatabase> {
  const { url, template } = await getTemplate(inject('storesSocket'), 'postgresql');
  const name = `${template}_${process.pid}_${(count += 1)}`;
  await runStatement(url, `create database ${name}${migrated ? ` template ${template}` : ''}`);

  const drop = () => runStatement(url, `drop database if exists ${name} with (force)`);
  return { url: withDatabase(url, name), drop, [Symbol.asyncDispose]: drop };
}

export interface TestFolder extends AsyncDisposable {
  readonly path: string;
  remove(): Promise<void>;
}

/** A temporary folder that is removed at the end. Its name has a space, because users' folders do. */
export async function createTestFolder(name = 'a folder'): Promise<TestFolder> {
  const path = await mkdtemp(join(tmpdir(), `baton ${name} `));
  const remove = () => rm(path, { recursive: true, force: true });
  return { path, remove, [Symbol.asyncDispose]: remove };
}

/** Where a `baton` that a test starts keeps what it knows. */
export interface TestState extends TestFolder {
  /** What says so on its command line. */
  readonly options: readonly string[];
}

/** A data folder with the state in PostgreSQL, which starts in a fraction of the time that the embedded store takes. */
export async function createTestState(): Promise<TestState> {
  const [folder, database] = await Promise.all([createTestFolder('state'), createTestDatabase()]);
  const remove = async () => {
    await database.drop();
    await folder.remove();
  };
  return { path: folder.path, options: ['--data', folder.path, '--database-url', database.url], remove, [Symbol.asyncDispose]: remove };
}

/** A data folder with a migrated embedded store in it. */
export async function createTestDataFolder(): Promise<TestFolder> {
  const { folder } = await getTemplate(inject('storesSocket'), 'embedded');
  const copy = await createTestFolder('data');
  await cp(folder, copy.path, { recursive: true });
  return copy;
}
