import { readFile } from 'node:fs/promises';
import { CoordinatorError } from '@baton/protocol';

/** Where the token comes from. A file is read anew for every connection, so that a replaced token is taken up. */
export interface TokenSource {
  readonly token?: string | undefined;
  readonly tokenFile?: string | undefined;
}

/** @throws CoordinatorError `unauthenticated` where there is no token or the file cannot be read */
export async function readToken({ token, tokenFile }: TokenSource): Promise<string> {
  if (token !== undefined) return token;
  if (tokenFile === undefined) throw new CoordinatorError('unauthenticated', { message: 'Give a token or a token file.' });
  try {
    return (await readFile(tokenFile, 'utf8')).trim();
  } catch (error) {
    throw new CoordinatorError('unauthenticated', { message: `The token file ${tokenFile} cannot be read.` }, { cause: error });
  }
}
