import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { EntityManager } from './db/orm.ts';
import { insertToken } from './token/token.store.ts';
import { type Authenticate, createToken } from './wire/auth.ts';

/**
 * Makes sure that the data folder holds an admin's token which fits the store. It is written for its owner's eyes only, and
 * the store keeps no more than its hash.
 * @returns the path of the token file
 */
export async function ensureTokenFile(
  dataDir: string,
  { em, projectId, authenticate }: { em: EntityManager; projectId: string; authenticate: Authenticate },
): Promise<string> {
  const file = join(dataDir, 'token');
  const present = await readFile(file, 'utf8').catch(() => undefined);
  if (present !== undefined && (await authenticate(present.trim())) !== undefined) return file;

  const { id, token, secretHash } = createToken();
  await insertToken(em, { id, secretHash, projectId, name: 'admin', role: 'admin' });
  await writeWhole(file, `${token}\n`);
  return file;
}

export interface Address {
  readonly url: string;
  readonly httpUrl: string;
  readonly tokenFile: string;
  readonly pid: number;
}

/** Tells commands on this machine where the coordinator of a data folder listens. */
export const writeAddress = (dataDir: string, address: Address): Promise<void> =>
  writeWhole(join(dataDir, 'coordinator.json'), `${JSON.stringify(address)}\n`);

// Renamed into place, so that nobody reads half a file.
async function writeWhole(file: string, text: string): Promise<void> {
  const draft = `${file}.${process.pid}`;
  await writeFile(draft, text, { mode: 0o600 });
  await rename(draft, file);
}
