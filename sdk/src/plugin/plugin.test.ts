import { expect, expectTypeOf, test } from 'vitest';
import { z } from 'zod';
import { definePlugin, defineSummarizer, defineValidator, pluginManifest } from './index.ts';

test('a validator is given its configuration with the type of its schema', () => {
  const validator = defineValidator({
    name: 'short',
    config: z.object({ charsMax: z.number().default(80) }),
    validate({ config, fail }) {
      expectTypeOf(config).toEqualTypeOf<{ charsMax: number }>();
      expectTypeOf(fail)
        .parameter(2)
        .toEqualTypeOf<{ readonly path?: string | undefined; readonly line?: number | undefined } | undefined>();
    },
  });

  expect(definePlugin({ name: 'short', apiVersion: 1, validators: [validator] }).validators).toEqual([validator]);
});

test('a plugin with summarizers only has an empty list of validators', () => {
  const first = defineSummarizer({
    name: 'first',
    config: z.object({}),
    summarize: ({ items }) => ({ text: items[0]?.text ?? '', citations: items.slice(0, 1).map(({ citation }) => citation) }),
  });

  expect(definePlugin({ name: 'first', apiVersion: 1, summarizers: [first] })).toMatchObject({
    validators: [],
    summarizers: [{ name: 'first' }],
  });
});

test('a manifest of a later contract does not fit', () => {
  expect(pluginManifest.safeParse({ apiVersion: 2, validators: [] }).success).toBe(false);
  expect(pluginManifest.parse({ apiVersion: 1, validators: ['a'] })).toEqual({
    apiVersion: 1,
    validators: ['a'],
    summarizers: [],
    permissions: [],
    configs: {},
  });
});

test('a manifest may say of each validator what it takes, in as much as a schema may have', () => {
  const sayOf = (schema: unknown) => pluginManifest.safeParse({ apiVersion: 1, validators: ['a'], configs: { a: schema } });

  expect(sayOf({ type: 'object' }).data?.configs).toEqual({ a: { type: 'object' } });
  expect(sayOf(['object']).error?.issues.map(({ path }) => path)).toEqual([['configs', 'a']]);
  expect(sayOf({ description: 'x'.repeat(65_536) }).error?.issues).toMatchObject([
    { path: ['configs', 'a'], message: 'A schema may have 65536 bytes of JSON.' },
  ]);
});
