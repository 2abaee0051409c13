import { CoordinatorError, errorCatalogue, errorKinds } from '@baton/protocol';
import { expect, test } from 'vitest';
import { toCoordinatorError, toErrorObject } from './wire-errors.ts';

test.each(errorKinds)('%s arrives as it was thrown', (kind) => {
  const arrived = toCoordinatorError(toErrorObject(new CoordinatorError(kind, { key: 'a' }, { cause: 'secret' })));

  expect(arrived).toMatchObject({
    kind,
    message: errorCatalogue[kind].title,
    data: { key: 'a', retryable: errorCatalogue[kind].blame === 'passing' },
  });
  expect(arrived.cause).toBeUndefined();
});

test('a detail cannot pass itself off as the kind', () => {
  expect(toErrorObject(new CoordinatorError('overloaded', { kind: 'cancelled', retryable: false })).data).toEqual({
    kind: 'overloaded',
    retryable: true,
  });
});

test.each([
  ['passes, by its code', 50377, 'overloaded'],
  ['does not pass', 40977, 'internal'],
])('a kind of a newer coordinator that %s keeps its code and its text', (_title, code, kind) => {
  const arrived = toCoordinatorError({ code, message: 'Too new.', data: { kind: 'too_new' } });

  expect(arrived).toMatchObject({ kind, data: { code, message: 'Too new.', kind: 'too_new' } });
});

test('an error without data is known by its code', () => {
  expect(toCoordinatorError({ code: -32601, message: 'Method not found' })).toMatchObject({ kind: 'method_unknown' });
});
