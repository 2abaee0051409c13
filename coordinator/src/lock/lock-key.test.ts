import { describe, expect, test } from 'vitest';
import { findCommon, normaliseKey, normaliseRequests, readSpan, refuseTooManyGrants, untold } from './lock-key.ts';

const exclusive = (key: string) => ({ key, mode: 'exclusive' as const });
const shared = (key: string) => ({ key, mode: 'shared' as const });

describe('the canonical form', () => {
  test.each([
    ['file:src/a.ts', 'file:src/a.ts'],
    ['file:./src//a.ts', 'file:src/a.ts'],
    ['file:src/x/../a.ts', 'file:src/a.ts'],
    ['file:src/', 'file:src'],
    ['file:..a', 'file:..a'],
    [String.raw`file:src\a.ts`, 'file:src/a.ts'],
    ['file:./src//*.ts', 'file:src/*.ts'],
    ['port:5432', 'port:5432'],
    ['port:3000-3100', 'port:3000-3100'],
    ['date:2024-01', 'date:2024-01'],
  ])('of %s is %s', (key, canonical) => expect(normaliseKey(key)).toBe(canonical));

  test.each(['file:../secret', 'file:..', 'file:.', 'file:!src/a', 'file:src/@(a|b)', 'file:src/[a', 'port:3100-3000', 'port:0-20000'])(
    '%s is refused',
    (key) => expect(() => normaliseKey(key)).toThrow(expect.objectContaining({ kind: 'lock_key_invalid' }) as Error),
  );

  test('two ways of writing one file are one lock, the stronger mode and the larger number win, and keys are in order', () => {
    expect(normaliseRequests([shared('port:2'), shared('file:./a'), exclusive('file:a')])).toEqual([exclusive('file:a'), shared('port:2')]);
    expect(normaliseRequests([{ ...exclusive('pool:gpu'), places: 2 }, exclusive('pool:gpu')])).toEqual([
      { ...exclusive('pool:gpu'), places: 2 },
    ]);
  });
});

test.each([
  ['port:3007', 'port:3000-3100', '3007'],
  ['port:1-5', 'port:4-9', '4'],
  ['port:1-5', 'port:6-9', undefined],
  ['port:7', 'pool:1-9', undefined],
  ['port:07', 'port:1-9', undefined],
  ['port:7', 'port:8', undefined],
  ['file:src/*/a.ts', 'file:src/x/*.ts', 'src/x/a.ts'],
  ['file:a', 'file:b', undefined],
  // How a file is named whose name reads as a pattern.
  ['file:app/[[]id]/page.tsx', 'file:app/**', 'app/[id]/page.tsx'],
  ['file:app/[[]id]/page.tsx', 'file:app/i/page.tsx', undefined],
  ['file:a+[(]1).ts', 'file:a*', 'a+(1).ts'],
  ['file:[*].md', 'file:?.md', '*.md'],
])('%s and %s have %s in common', (a, b, common) => {
  expect(findCommon(readSpan(a), readSpan(b))).toBe(common);
  expect(findCommon(readSpan(b), readSpan(a))).toBe(common);
});

test('two patterns that cannot be told apart in time count as meeting, and take no more time than there is', () => {
  const many = `file:${'*?'.repeat(23)}*${'?'.repeat(200)}`;
  const [a, b] = [readSpan(`${many}b`), readSpan(`${many}c`)];
  const effort = { left: 60_000 };

  expect(findCommon(a, b, effort)).toBe(untold);
  expect(findCommon(a, b, effort)).toBe(untold);
  expect(effort.left).toBe(0);
  expect(findCommon(readSpan('file:src/*'), readSpan('file:docs/*'), effort)).toBeUndefined();
});

test('a range leads to a lock for each member that is wanted, and any other key to one', () => {
  const wanted = [exclusive('db:a'), { ...exclusive('pool:gpu'), places: 300 }, { ...exclusive('port:1-9'), places: 4 }];

  expect(() => refuseTooManyGrants(wanted, { path: 'keys', lockGrantsMax: 6 })).not.toThrow();
  expect(() => refuseTooManyGrants(wanted, { path: 'keys', lockGrantsMax: 5 })).toThrow(
    expect.objectContaining({ kind: 'limit_exceeded', data: expect.objectContaining({ value: 6 }) as object }) as Error,
  );
});
