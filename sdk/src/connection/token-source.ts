import { readFile } from 'node:fs/promises';
import { CoordinatorError } from '@baton/protocol';

/** Where the token comes from. A file is read anew for every connection, so that a replaced token is taken up. */
export interface TokenSource {
  readonly token?: string | undefined;
  readonly tokenFile?: string | undefined;
}

/**
 * Reads the token. A file holds one and nothing else, but may end with a line break.
 * @throws CoordinatorError `unauthenticated` where there is no token, the file cannot be read, or what is there cannot be a token; `data.tokenFile` names the file
 */
export async function readToken({ token, tokenFile }: TokenSource): Promise<string> {
  if (token !== undefined) {
    const fault = findFault(token);
    if (fault !== undefined) throw new CoordinatorError('unauthenticated', { message: `What was given as token is none: ${fault}.` });
    return token;
  }
  if (tokenFile === undefined) throw new CoordinatorError('unauthenticated', { message: 'Give a token or a token file.' });
  const text = await readFile(tokenFile, 'utf8').catch((cause: unknown) => {
    throw new CoordinatorError('unauthenticated', { message: `The token file ${tokenFile} cannot be read.`, tokenFile }, { cause });
  });
  const fault = findFault(text.trim());
  if (fault === undefined) return text.trim();
  const message = `The token file ${tokenFile} must hold one token and nothing else: ${fault}. Name the right file, or write the token alone into it.`;
  throw new CoordinatorError('unauthenticated', { message, tokenFile });
}

/** Why a text cannot be a token; undefined where it can. A header takes none but printable characters. */
function findFault(text: string): string | undefined {
  if (text === '') return 'it is empty';
  const lines = text.split(/\r\n|\r|\n/).length;
  if (lines > 1) return `it has ${lines} lines`;
  return /^[\x21-\x7e]+$/.test(text) ? undefined : 'it has spaces, or characters that no token has';
}
