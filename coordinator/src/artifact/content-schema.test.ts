import type { JsonObject } from '@baton/protocol';
import { describe, expect, test } from 'vitest';
import { compileSchema, findContentFaults, findSchemaFaults } from './content-schema.ts';

describe('a schema', () => {
  test.each<[what: string, pattern: string, why: string]>([
    ['look-ahead', '^(?=a)b', '`(?=`'],
    ['a back reference', '(a)\\1', '`\\1`'],
    ['more repetitions than RE2 takes', 'a{1001}', '`{1001}`'],
  ])('with %s is refused, with the pattern, its place and the remedy', (_, pattern, why) => {
    const [fault, ...others] = findSchemaFaults({ properties: { name: { type: 'string', pattern } } });

    expect(others).toEqual([]);
    expect(fault?.path).toBe('.properties.name.pattern');
    expect(fault?.message).toContain(`The pattern ${pattern} cannot be used`);
    expect(fault?.message).toContain(why);
    expect(fault?.message).toContain('Patterns are RE2');
  });

  test('may have such patterns as names of properties only where they can be used', () => {
    expect(findSchemaFaults({ patternProperties: { '^(?!x)': {}, '^y': {} } })).toMatchObject([{ path: '.patternProperties' }]);
  });

  test('may have them as plain text', () => {
    expect(findSchemaFaults({ properties: { pattern: { type: 'string', const: '(?=a)' } }, examples: [{ pattern: '(?=a)' }] })).toEqual([]);
  });

  test('that is larger than is sensible is refused with both sizes', () => {
    expect(findSchemaFaults({ description: 'x'.repeat(70_000) })).toMatchObject([{ message: expect.stringContaining('65536') as string }]);
  });

  test('that is none says why', () => {
    expect(findSchemaFaults({ type: 'percent' })).toMatchObject([{ path: '', message: expect.stringContaining('This is no JSON Schema') }]);
  });
});

describe('content', () => {
  const faultsOf = (schema: JsonObject, content: Parameters<typeof findContentFaults>[1]) =>
    findContentFaults(compileSchema(schema), content);

  test('is matched in a time that grows with it alone', () => {
    // With backtracking this takes longer than anybody lives.
    expect(faultsOf({ type: 'string', pattern: '^(a+)+$' }, `${'a'.repeat(100_000)}!`)).toMatchObject([{ path: 'content' }]);
  });

  test('is compared item by item without comparing each with each', () => {
    const many = Array.from({ length: 100_000 }, (_, index) => ({ index, more: {} }));

    expect(faultsOf({ uniqueItems: true }, many)).toEqual([]);
    expect(faultsOf({ uniqueItems: true }, [{ a: 1, b: 2 }, 1, { b: 2, a: 1 }])).toEqual([
      { path: 'content', message: 'must not have the same item twice' },
    ]);
    expect(faultsOf({ uniqueItems: false }, [1, 1])).toEqual([]);
  });
});
