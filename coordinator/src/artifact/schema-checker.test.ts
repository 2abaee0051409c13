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
  checker = createSchemaChecker({ checkMs: 60_000, waitMs: 2_000 });

  const [late, next] = await Promise.allSettled([ask(doubling, nested(30)), ask({ type: 'string' }, 'a')]);

  expect(late.status).toBe('rejected');
  expect(next).toEqual({ status: 'fulfilled', value: { faults: [] } });
});

test('a check that takes too much memory is ended, and others are answered', async () => {
  checker = createSchemaChecker({ checkMs: 60_000, waitMs: 60_000, memoryMb: 16 });

  const [large, next] = await Promise.all([ask(flooding, nested(30)), ask({ type: 'string' }, 1)]);

  expect(large).toEqual({ failed: 'it takes more than 16 MB of memory' });
  expect(next).toEqual({ faults: [{ path: 'content', message: 'must be string' }] });
});

// When the memory ends is not for a test to choose: one of these is being ended just then, and an error that nobody hears fails the run.
test('a thread that runs out of memory while it is being ended harms nobody', async () => {
  for (let waitMs = 100; waitMs <= 400; waitMs += 50) {
    checker = createSchemaChecker({ checkMs: 60_000, waitMs, memoryMb: 16 });
    // oxlint-disable-next-line no-await-in-loop -- Together they would share the processor and end later.
    await Promise.allSettled([ask(flooding, nested(30))]);
    // oxlint-disable-next-line no-await-in-loop -- As above.
    await checker.stop();
  }

  checker = createSchemaChecker();
  expect(await ask({}, 1)).toEqual({ faults: [] });
});

test('a thread that is full of earlier schemas is replaced, and the check is answered', async () => {
  checker = createSchemaChecker({ memoryMb: 16 });
  // Two MB each, which a thread keeps.
  const large = (number: number): JsonObject => ({
    default: Array.from({ length: 4_000 }, (_, at) => `${number} ${at} ${'x'.repeat(500)}`),
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
