import { expect, test } from 'vitest';
import { mayRunAgain, translateDatabaseError } from './errors.ts';

test.each([
  'Connection terminated unexpectedly',
  'Connection terminated due to connection timeout',
  'timeout exceeded when trying to connect',
  'Client has encountered a connection error and is not queryable',
])('the driver has no code for "%s": the database is unavailable', (message) => {
  expect(translateDatabaseError(new Error(message))).toMatchObject({ kind: 'database_unavailable' });
  expect(translateDatabaseError(new Error('wrapped', { cause: new Error(message) }))).toMatchObject({ kind: 'database_unavailable' });
});

test.each([
  ['57P01', 'database_unavailable'],
  ['57P05', 'database_unavailable'],
  ['25P03', 'database_unavailable'],
  ['40P01', 'overloaded'],
  ['55P03', 'overloaded'],
  ['57014', 'overloaded'],
])('%s is %s', (code, kind) => {
  expect(translateDatabaseError(Object.assign(new Error('told by the server'), { code }))).toMatchObject({ kind });
});

test('what the catalogue has no word for stays what it is', () => {
  const error = Object.assign(new Error('Connection terminated, says a constraint'), { code: '23505' });

  expect(translateDatabaseError(error)).toBe(error);
});

test('a statement that took too long is not run again', () => {
  expect(['55P03', '57014', '40001'].map((code) => mayRunAgain(Object.assign(new Error('told by the server'), { code })))).toEqual([
    false,
    false,
    true,
  ]);
});
