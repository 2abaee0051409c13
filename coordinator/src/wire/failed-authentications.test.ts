import { expect, test } from 'vitest';
import { createFailedAuthentications } from './failed-authentications.ts';

const create = () => createFailedAuthentications({ failedAuthenticationsPerMinuteMax: 1 });

test.each([
  ['the same address', '10.0.0.1', '10.0.0.1', 429],
  ['another address', '10.0.0.1', '10.0.0.2', undefined],
  ['the same address in the clothes of IPv6', '10.0.0.1', '::ffff:10.0.0.1', 429],
  ['an address of the same network', '2001:db8:1:2::1', '2001:db8:1:2:a:b:c:d', 429],
  ['an address of another network', '2001:db8:1:2::1', '2001:db8:1:3::1', undefined],
  ['no address', '10.0.0.1', undefined, undefined],
])('%s', (_title, failed, asks, status) => {
  const failures = create();

  failures.record(failed, 'a guess', false);

  expect(failures.refuse(asks, 'another guess')?.status).toBe(status);
});

test('a token that has fitted and fits no more is a guess like any other', () => {
  const failures = create();
  failures.record('10.0.0.1', 'revoked', true);
  failures.record('10.0.0.1', 'a guess', false);
  expect(failures.refuse('10.0.0.1', 'revoked')).toBeUndefined();

  failures.record('10.0.0.1', 'revoked', false);

  expect(failures.refuse('10.0.0.1', 'revoked')?.status).toBe(429);
});
