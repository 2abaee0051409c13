import { expect, test } from 'vitest';
import { createBatcher } from './batcher.ts';

/** A batcher whose batches end when they are told to, and what each was given. */
function setUp(limits = { itemsMax: 10, waitingMax: 100 }) {
  const batches: { items: readonly number[]; end: PromiseWithResolvers<readonly string[]> }[] = [];
  const put = createBatcher<number, string>((items) => {
    const end = Promise.withResolvers<readonly string[]>();
    batches.push({ items, end });
    return end.promise;
  }, limits);
  const answer = (index: number) => batches[index]!.end.resolve(batches[index]!.items.map(String));
  return { batches, put, answer };
}

test('a lone item is run at once', () => {
  const { batches, put } = setUp();

  void put(1);

  expect(batches.map(({ items }) => items)).toEqual([[1]]);
});

test('what comes while a batch is under way is one batch after it', async () => {
  const { batches, put, answer } = setUp();
  const first = put(1);
  const others = [put(2), put(3)];

  answer(0);
  await first;
  await new Promise((resolve) => setImmediate(resolve));
  answer(1);

  expect(await Promise.all(others)).toEqual(['2', '3']);
  expect(batches.map(({ items }) => items)).toEqual([[1], [2, 3]]);
});

test('a batch that fails fails its own items, and the next goes on', async () => {
  const { put, batches, answer } = setUp();
  const first = put(1);
  const second = put(2);

  batches[0]!.end.reject(new Error('no'));
  await expect(first).rejects.toThrow('no');
  await new Promise((resolve) => setImmediate(resolve));
  answer(1);

  expect(await second).toBe('2');
});

test('one item that cannot be done does not take its batch with it', async () => {
  const put = createBatcher<number, number>(
    (items) => (items.includes(3) ? Promise.reject(new Error('three')) : Promise.resolve(items.map((item) => item * 10))),
    { itemsMax: 10, waitingMax: 10 },
  );

  const outcomes = await Promise.allSettled([put(1), put(2), put(3), put(4)]);

  expect(outcomes.map((outcome) => (outcome.status === 'fulfilled' ? outcome.value : String(outcome.reason)))).toEqual([
    10,
    20,
    'Error: three',
    40,
  ]);
});

test('a full queue refuses, and says when to come again', async () => {
  const { put } = setUp({ itemsMax: 1, waitingMax: 1 });
  void put(1);
  void put(2);

  await expect(put(3)).rejects.toMatchObject({ kind: 'overloaded', data: { retryAfterMs: 100 } });
});

test('a run that answers for the wrong number of items is an error, not a mix-up', async () => {
  const { put, batches } = setUp();
  const only = put(1);

  batches[0]!.end.resolve(['1', '2']);

  await expect(only).rejects.toThrow('A batch of 1 brought 2 outcomes.');
});
