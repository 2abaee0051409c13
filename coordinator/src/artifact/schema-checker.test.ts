import type { JsonObject, JsonValue } from '@baton/protocol';
import { afterEach, expect, test } from 'vitest';
import { createSchemaChecker, type SchemaChecker } from './schema-checker.ts';

let checker: SchemaChecker;
afterEach(() => checker.stop());

/** Each level doubles the work. */
const doubling: JsonObject = { properties: { a: { allOf: [{ $ref: '#' }, { $ref: '#' }] } } };
/** Each end of the doubled work has faults, which are kept. */
const flooding: JsonObject = { ...doubling, required: ['b', 'c', 'd', 'e'] };
const nested = (depth: number): JsonObject => (depth === 0 ? {} : { a: nested(depth - 1) });

const ask = (schema: JsonObject, content: JsonValue) => checker.ask({ key: JSON.stringify(schema), schema, content });

test('a check that takes too long is ended, others are answered, and this thread goes on meanwhile', async () => {
  checker = createSchemaChecker({ checkMs: 300, waitMs: 60_000 });
  let turns = 0;
  const turning = setInterval(() => (turns += 1), 1);

  const [late, next] = await Promise.all([ask(doubling, nested(30)), ask({ type: 'string' }, 1)]);

  clearInterval(turning);
  expect(late).toEqual({ failed: 'it takes longer than 300 ms of processor time' });
  expect(next).toEqual({ faults: [{ path: 'content', message: 'must be string' }] });
  expect(turns).toBeGreaterThan(0);
});

test('a check that a busy machine keeps waiting may be asked again, and is no fault of the schema', async () => {
  checker = createSchemaChecker({ checkMs: 60_000, waitMs: 50 });

  const late = ask(doubling, nested(30));

  await expect(late).rejects.toMatchObject({ kind: 'overloaded', retryable: true });
});

test('a refusal to wait longer leaves the checks after it alone', async () => {
  // All the time there is passes at each look at the clock, until the first check has been refused; then none.
  let clockMs = 0;
  let stepMs = 60_000;
  checker = createSchemaChecker({ checkMs: 60_000, waitMs: 60_000 }, () => (clockMs += stepMs));

  const late = ask(doubling, nested(30));
  const next = ask({ type: 'string' }, 'a');

  await expect(late.finally(() => (stepMs = 0))).rejects.toMatchObject({ kind: 'overloaded' });
  expect(await next).toEqual({ faults: [] });
});

test('a check that takes too much memory is ended, and others are answered', async () => {
  checker = createSchemaChecker({ checkMs: 60_000, waitMs: 60_000, memoryMb: 16 });

  const [large, next] = await Promise.all([ask(flooding, nested(30)), ask({ type: 'string' }, 1)]);

  expect(large).toEqual({ failed: 'it takes more than 16 MB of memory' });
  expect(next).toEqual({ faults: [{ path: 'content', message: 'must be string' }] });
});

test('a thread that is full of earlier schemas is replaced, and the check is answered', async () => {
  checker = createSchemaChecker({ memoryMb: 16 });
  // Two MB each, which a thread keeps.
  const large = (number: number): JsonObject => ({
    default: Array.from({ length: 20 }, (_, at) => `${number} ${at} ${'x'.repeat(100_000)}`),
  });

  const answers = await Promise.all(
    Array.from({ length: 5 }, (_, number) => checker.ask({ key: `${number}`, schema: large(number), content: {} })),
  );

  expect(new Set(answers.map((answer) => JSON.stringify(answer)))).toEqual(new Set(['{"faults":[]}']));
});

test('more than may wait are told to come again', async () => {
  checker = createSchemaChecker({ waitingMax: 1 });

  const first = ask({}, 1);
  const second = ask({}, 1);

  await expect(second).rejects.toMatchObject({ kind: 'overloaded' });
  expect(await first).toEqual({ faults: [] });
});

test('a schema that cannot be compiled is said to be so', async () => {
  checker = createSchemaChecker();

  expect(await ask({ $ref: 'https://example.com/none' }, 1)).toMatchObject({ failed: expect.stringContaining("can't resolve") as string });
});
