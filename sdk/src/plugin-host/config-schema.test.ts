import { expect, test } from 'vitest';
import { z } from 'zod';
import { toConfigSchema } from './config-schema.ts';

test('a configuration is described as it is written, without what its defaults make of it', () => {
  expect(toConfigSchema(z.strictObject({ min: z.int().min(0).default(1), of: z.array(z.enum(['a', 'b'])).optional() }))).toEqual({
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    type: 'object',
    properties: {
      min: { type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER, default: 1 },
      of: { type: 'array', items: { type: 'string', enum: ['a', 'b'] } },
    },
    additionalProperties: false,
  });
});

test('nothing is refused that the code would take', () => {
  const shape = {
    number: z.coerce.number(),
    caught: z.string().catch('x'),
    read: z.preprocess(Number, z.number()),
    word: z
      .string()
      .regex(/^a$/i)
      .regex(/^(?!b)/),
    mail: z.email(),
    one: z.custom<string>(),
    trimmed: z.string().trim().min(2).max(3),
    rounded: z.array(z.number().overwrite(Math.round).int().max(3)),
    step: z.number().multipleOf(0.1),
    even: z.number().multipleOf(2),
    // What zod counts twice: a character beyond U+FFFF.
    long: z.string().min(2).max(3),
    some: z.string().min(1),
  };

  expect(toConfigSchema(z.object(shape))).toEqual({
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    type: 'object',
    properties: {
      number: {},
      caught: {},
      read: {},
      word: { type: 'string' },
      mail: { type: 'string', format: 'email' },
      one: {},
      trimmed: { type: 'string' },
      rounded: { type: 'array', items: { type: 'number' } },
      step: { type: 'number' },
      even: { type: 'number', multipleOf: 2 },
      long: { type: 'string', maxLength: 3 },
      some: { type: 'string', minLength: 1 },
    },
    required: ['word', 'mail', 'one', 'trimmed', 'rounded', 'step', 'even', 'long', 'some'],
  });
});

test('types with names in the registry of zod are described as others are', () => {
  const named = z.object({ n: z.number() }).meta({ id: 'NamedInTheTest' });

  expect(toConfigSchema(z.object({ a: named }))).toMatchObject({
    properties: { a: { $ref: '#/$defs/NamedInTheTest' } },
    $defs: { NamedInTheTest: { type: 'object', properties: { n: { type: 'number' } }, required: ['n'] } },
  });
  expect(JSON.stringify(toConfigSchema(z.object({ a: named })))).not.toContain('"id"');
});

test('what is too large for a manifest, or no schema of this zod, is not described', () => {
  expect(toConfigSchema(z.object({ a: z.string().describe('x'.repeat(70_000)) }))).toBeUndefined();
  expect(toConfigSchema({} as z.ZodType)).toBeUndefined();
});
