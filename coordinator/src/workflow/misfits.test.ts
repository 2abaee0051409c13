import type { JsonObject } from '@baton/protocol';
import { afterEach, expect, test } from 'vitest';
import { createSchemaChecker, type SchemaChecker, type SchemaCheckerLimits } from '../artifact/schema-checker.ts';
import { findMisfits, type Written } from './misfits.ts';

let checker: SchemaChecker;
afterEach(() => checker.stop());

const find = (written: Partial<Written>, { configs = {}, limits = {} }: Given = {}) => {
  checker = createSchemaChecker(limits);
  return findMisfits({ patterns: [], schemas: [], configs: [], ...written }, new Map(Object.entries(configs)), checker);
};
interface Given {
  readonly configs?: Readonly<Record<string, JsonObject>>;
  readonly limits?: Partial<SchemaCheckerLimits>;
}

/** As much as a schema may have, of what takes longest to compile. */
const slow: JsonObject = {
  properties: Object.fromEntries(Array.from({ length: 1_400 }, (_, index) => [`p${index}`, { pattern: `${index}a{1000}` }])),
};

test('schemas that take too long to compile are refused, and this thread goes on meanwhile', async () => {
  let turns = 0;
  const turning = setInterval(() => (turns += 1), 1);

  const problems = await find(
    { schemas: [{ path: 'artifactTypes.a.schema', schema: slow }] },
    { limits: { checkMs: 300, waitMs: 60_000 } },
  );

  clearInterval(turning);
  expect(problems).toEqual([
    {
      path: 'artifactTypes.a.schema',
      message:
        'The schemas and patterns of the workflow cannot be compiled: it takes longer than 300 ms of processor time. Write simpler ones.',
    },
  ]);
  expect(turns).toBeGreaterThan(10);
});

test('each pattern and schema that cannot be used is told with its field', async () => {
  const problems = await find({
    patterns: [
      { path: 'phases[0].gate.criteria[0].value', pattern: '(?=x)' },
      { path: 'phases[1].gate.criteria[0].value', pattern: '^x$' },
      { path: 'phases[2].gate.criteria[0].value', pattern: '(?=x)' },
    ],
    schemas: [{ path: 'artifactTypes.a.schema', schema: { properties: { n: { pattern: '(?!x)' } } } }],
  });

  expect(problems.map(({ path }) => path)).toEqual([
    'artifactTypes.a.schema.properties.n.pattern',
    'phases[0].gate.criteria[0].value',
    'phases[2].gate.criteria[0].value',
  ]);
});

test('what a validator would not take is told with its field and what it takes', async () => {
  const schema: JsonObject = {
    type: 'object',
    properties: {
      all: {
        type: 'array',
        items: { type: 'object', properties: { op: { enum: ['<', '>'] } }, required: ['op'], additionalProperties: false },
      },
      at: { anyOf: [{ type: 'string' }, { type: 'number' }] },
    },
    required: ['all'],
  };
  const ask = (path: string, config: JsonObject) => ({ path, use: 'v', config });

  const problems = await find(
    {
      configs: [
        ask('a', {}),
        ask('b', { all: [{ op: '<' }, { op: '=', more: 1 }], at: true }),
        ask('c', { all: [] }),
        { path: 'd', use: 'unknown', config: {} },
      ],
    },
    { configs: { v: schema } },
  );

  expect(problems.map(({ path, message }) => `${path}: ${message}`)).toEqual([
    "a: The validator v does not take this: must have required property 'all'.",
    'b.all[1].more: The validator v takes no more; it takes op.',
    'b.all[1].op: The validator v does not take this: must be equal to one of the allowed values: ["<",">"].',
    'b.at: The validator v does not take this: must be string; must be number; must match a schema in anyOf.',
  ]);
});

test("a plugin's schema that takes too long is the plugin's, and what it would refuse is left to the run", async () => {
  const configs = [1, 2, 3].map((number) => ({ path: `c${number}`, use: 'v', config: { a: number } }));

  expect(await find({ configs }, { configs: { v: { ...slow, required: ['b'] } }, limits: { checkMs: 300, waitMs: 60_000 } })).toEqual([]);
});
