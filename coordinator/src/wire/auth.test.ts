import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { createAuthenticate, createToken, readBearer } from './auth.ts';
import { caller } from '../../../test/support/test-wire.ts';

test('a new token speaks for who it was made for, and its hash is all that needs to be kept', async () => {
  const { id, token, secretHash } = createToken();
  const authenticate = createAuthenticate(async (asked) => (asked === id ? { caller, secretHash } : undefined));

  expect(await authenticate(token)).toBe(caller);
  expect(secretHash).toBe(createHash('sha256').update(token.split('_').slice(2).join('_')).digest('hex'));
  expect(token).not.toContain(secretHash);
});

test('no two tokens are alike', () => {
  const tokens = Array.from({ length: 100 }, createToken);

  expect(new Set(tokens.flatMap(({ id, token, secretHash }) => [id, token, secretHash])).size).toBe(300);
});

const { id, token } = createToken();

test.each([
  ['none', undefined],
  ['an empty one', ''],
  ['one without a secret', `baton_${id}_`],
  ['one with a longer secret', `${token}A`],
  ['one of another make', `other_${token.slice(6)}`],
  ['one with more before it', ` ${token}`],
])('%s is refused without a look-up', async (_title, text) => {
  let lookUps = 0;
  const authenticate = createAuthenticate(async () => {
    lookUps++;
    return undefined;
  });

  expect(await authenticate(text)).toBeUndefined();
  expect(lookUps).toBe(0);
});

test.each([
  ['Bearer abc', 'abc'],
  ['bearer   abc', 'abc'],
  ['Bearer', undefined],
  ['Bearer a b', undefined],
  ['Basic abc', undefined],
  [undefined, undefined],
])('the header %s holds the token %s', (header, expected) => {
  expect(readBearer(header)).toBe(expected);
});
