import { expect, test } from 'vitest';
import { refuseFields } from './refuse-fields.ts';

const faults = (count: number) => Array.from({ length: count }, (_, index) => ({ path: `tasks[${index}]`, message: 'It is wrong.' }));

test('as many fields as an error names are all named', () =>
  expect(refuseFields('workflow_invalid', faults(50)).data).toEqual({ fields: faults(50) }));

test('of more the first are named, and it is said how many there are', () => {
  const { data, message } = refuseFields('workflow_invalid', faults(312));

  expect(data['fields']).toEqual(faults(50));
  expect(message).toBe('The workflow contradicts itself. The first 50 of 312 fields are named.');
});

test('what is said of one is cut to a length', () => {
  const { data } = refuseFields('invalid_params', [{ path: 'p'.repeat(10_000), message: 'm'.repeat(10_000) }]);

  expect(data).toEqual({ fields: [{ path: `${'p'.repeat(499)}…`, message: `${'m'.repeat(1_999)}…` }] });
});

test('and never within a character', () => {
  const { data } = refuseFields('invalid_params', [{ path: 'p', message: '😀'.repeat(2_000) }]);

  expect(data).toEqual({ fields: [{ path: 'p', message: `${'😀'.repeat(999)}…` }] });
});
