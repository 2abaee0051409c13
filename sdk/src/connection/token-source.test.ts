import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CoordinatorError } from '@baton/protocol';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readToken } from './token-source.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'baton-token-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function readFrom(text: string): Promise<string> {
  const tokenFile = join(folder, 'token');
  await writeFile(tokenFile, text);
  return readToken({ tokenFile });
}

test('a token file may end with a line break', async () => {
  expect(await readFrom('btn_abc.def-1\r\n')).toBe('btn_abc.def-1');
});

test.each([
  ['nothing', ' \n', 'it is empty'],
  ['two lines', 'btn_a\nbtn_b\n', 'it has 2 lines'],
  ['a space', 'btn a', 'it has spaces, or characters that no token has'],
  ['a letter that no header takes', 'btn_ä', 'it has spaces, or characters that no token has'],
])('a token file with %s is refused, and the file is named', async (_, text, fault) => {
  await expect(readFrom(text)).rejects.toMatchObject({
    kind: 'unauthenticated',
    data: {
      tokenFile: join(folder, 'token'),
      message: `The token file ${join(folder, 'token')} must hold one token and nothing else: ${fault}. Name the right file, or write the token alone into it.`,
    },
  });
});

test('a file that is not there is named with the cause', async () => {
  const tokenFile = join(folder, 'none');

  const error: unknown = await readToken({ tokenFile }).catch((reason: unknown) => reason);

  expect(error).toBeInstanceOf(CoordinatorError);
  expect(error).toMatchObject({ data: { tokenFile }, cause: { code: 'ENOENT' } });
});

test('what is given instead of a file is held to the same rule', async () => {
  await expect(readToken({ token: 'two\nlines' })).rejects.toThrow('What was given as token is none: it has 2 lines.');
});
