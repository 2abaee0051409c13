import { testValidator } from '@baton/sdk/plugin/testing';
import { expect, test } from 'vitest';
import plugin from './index.ts';

const [jsonSchema] = plugin.validators;
const schema = {
  type: 'object',
  properties: { items: { type: 'array', items: { type: 'string' } } },
  required: ['items'],
  additionalProperties: false,
};
const config = { artifact: 'list', schema };
const of = (content: object) => ({ config, artifacts: [{ type: 'list', content: content as Record<string, never> }] });

test('content is held against a schema, and every fault has its place', async () => {
  await testValidator(jsonSchema!, {
    folder: new URL('..', import.meta.url),
    valid: [
      { name: 'one that fits', ...of({ items: ['a'] }) },
      {
        name: 'draft-07',
        config: { artifact: 'list', schema: { $schema: 'http://json-schema.org/draft-07/schema#', dependencies: { a: ['b'] } } },
        artifacts: [{ type: 'list', content: { a: 1, b: 2 } }],
      },
    ],
    invalid: [
      { name: 'two faults', ...of({ items: [1], more: true }), codes: ['schema_violated', 'schema_violated'] },
      { name: 'elsewhere', config, artifacts: [{ type: 'list', uri: 'file:///list.json' }], codes: ['artifact_elsewhere'] },
    ],
    skipped: [{ name: 'nothing', config, reason: 'There is no artifact list.' }],
  });
});

test('what is no schema is an error and no pass', async () => {
  const cases = {
    folder: new URL('..', import.meta.url),
    invalid: [],
    valid: [{ name: 'any', config: { artifact: 'list', schema: { type: 'text' } } }],
  };

  await expect(testValidator(jsonSchema!, cases)).rejects.toThrow('should pass and is error; threw: Error: schema is invalid');
});

test('what is judged cannot make the judging slow: patterns and comparisons take a time that grows with it alone', async () => {
  const many = Array.from({ length: 100_000 }, (_, index) => ({ index, more: {} }));
  const same = [{ a: 1, b: 2 }, 1, { b: 2, a: 1 }];
  const unique = { artifact: 'list', schema: { uniqueItems: true } };

  await testValidator(jsonSchema!, {
    folder: new URL('..', import.meta.url),
    timeoutMs: 60_000,
    valid: [
      { name: 'many distinct items', config: unique, artifacts: [{ type: 'list', content: many }] },
      {
        name: 'items that may repeat',
        config: { artifact: 'list', schema: { uniqueItems: false } },
        artifacts: [{ type: 'list', content: [1, 1] }],
      },
    ],
    invalid: [
      {
        // With backtracking this takes longer than anybody lives.
        name: 'a pattern that doubles the work with each letter',
        config: { artifact: 'list', schema: { type: 'string', pattern: '^(a+)+$' } },
        artifacts: [{ type: 'list', content: `${'a'.repeat(10_000)}!` }],
        codes: ['schema_violated'],
      },
      { name: 'an item twice', config: unique, artifacts: [{ type: 'list', content: same }], codes: ['schema_violated'] },
    ],
  });
});

test('a pattern that cannot be used is an error with the pattern and the remedy', async () => {
  const cases = {
    folder: new URL('..', import.meta.url),
    invalid: [],
    valid: [{ name: 'any', config: { artifact: 'list', schema: { type: 'string', pattern: '^(?=a)b' } } }],
  };

  await expect(testValidator(jsonSchema!, cases)).rejects.toThrow(
    'threw: Error: The pattern ^(?=a)b cannot be used: invalid or unsupported Perl syntax: `(?=`. Patterns are RE2: write it without look-ahead, look-behind and back references, and repeat at most 1000 times.',
  );
});

test.each([
  ['without a schema', { artifact: 'list' }, 'schema'],
  ['without a type', { schema }, 'artifact'],
  ['with a field that is none', { ...config, strict: true }, ''],
])('a configuration %s does not fit, and the field is named', (_, wrong, path) => {
  const checked = jsonSchema!.config.safeParse(wrong);

  expect(checked.error?.issues.map((issue) => issue.path.join('.'))).toEqual([path]);
});
