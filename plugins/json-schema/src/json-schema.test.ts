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
      { name: 'nothing', config, codes: ['artifact_missing'] },
      { name: 'elsewhere', config, artifacts: [{ type: 'list', uri: 'file:///list.json' }], codes: ['artifact_elsewhere'] },
    ],
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

test.each([
  ['without a schema', { artifact: 'list' }, 'schema'],
  ['without a type', { schema }, 'artifact'],
  ['with a field that is none', { ...config, strict: true }, ''],
])('a configuration %s does not fit, and the field is named', (_, wrong, path) => {
  const checked = jsonSchema!.config.safeParse(wrong);

  expect(checked.error?.issues.map((issue) => issue.path.join('.'))).toEqual([path]);
});
