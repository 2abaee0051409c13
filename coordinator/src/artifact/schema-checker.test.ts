import type { JsonObject, JsonValue } from '@baton/protocol';
import { afterEach, expect, test } from 'vitest';
import { createSchemaChecker, type SchemaChecker } from './schema-checker.ts';

let checker: SchemaChecker;
afterEach(() => checker.stop());

/** Each level doubles the work. */
const doubling: JsonObject = { properties: { a: { allOf: [{ $ref: '#' }, { $ref: '#' }] } } };
const nested = (depth: number): JsonObject => (depth === 0 ? {} : { a: nested(depth - 1) });

const ask = (schema: JsonObject, content: JsonValue) => checker.ask({ key: JSON.stringify(schema), schema, content });

test('a check that takes too long is ended, others are answered, and this thread goes on meanwhile', async () => {
  checker = createSchemaChecker({ checkMs: 300, waitingMax: 10 });
  let turns = 0;
  const turning = setInterval(() => (turns += 1), 1);

  const [late, next] = await Promise.all([ask(doubling, nested(30)), ask({ type: 'string' }, 1)]);

  clearInterval(turning);
  expect(late).toEqual({ failed: 'it takes longer than 300 ms' });
  expect(next).toEqual({ faults: [{ path: 'content', message: 'must be string' }] });
  expect(turns).toBeGreaterThan(0);
});

test('more than may wait are told to come again', async () => {
  checker = createSchemaChecker({ checkMs: 10_000, waitingMax: 1 });

  const first = ask({}, 1);
  const second = ask({}, 1);

  await expect(second).rejects.toMatchObject({ kind: 'overloaded' });
  expect(await first).toEqual({ faults: [] });
});

test('a schema that cannot be compiled is said to be so', async () => {
  checker = createSchemaChecker({ checkMs: 10_000, waitingMax: 10 });

  expect(await ask({ $ref: 'https://example.com/none' }, 1)).toMatchObject({ failed: expect.stringContaining("can't resolve") as string });
});
