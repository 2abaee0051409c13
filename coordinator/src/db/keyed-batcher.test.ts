import { expect, test } from 'vitest';
import { createKeyedBatcher } from './keyed-batcher.ts';

/** A batcher of words by their first letter, whose batches end when they are told to. */
function setUp(held: readonly string[] = [], limits = { itemsMax: 10, waitingMax: 100, apartMax: 1 }) {
  const batches: { items: readonly string[]; end: PromiseWithResolvers<readonly string[]> }[] = [];
  const put = createKeyedBatcher<string, string>(
    (items) => {
      const end = Promise.withResolvers<readonly string[]>();
      batches.push({ items, end });
      return end.promise;
    },
    { ...limits, keyOf: (word) => word.slice(0, 1), findHeld: async (keys) => new Set(keys.filter((key) => held.includes(key))) },
  );
  const answer = async (...words: readonly string[]) => {
    const batch = batches.find(({ items }) => items.join(' ') === words.join(' '));
    batch!.end.resolve(batch!.items);
    await settled();
  };
  return { put, answer, begun: () => batches.map(({ items }) => items.join(' ')) };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

test('a lone item is run at once', () => {
  const { put, begun } = setUp();

  void put('a1');

  expect(begun()).toEqual(['a1']);
});

test('what comes with the key of a batch under way is one batch after it, in its order', async () => {
  const { put, answer, begun } = setUp();
  const all = [put('a1'), put('a2'), put('a3')];

  await answer('a1');
  await answer('a2', 'a3');

  expect(begun()).toEqual(['a1', 'a2 a3']);
  expect(await Promise.all(all)).toEqual(['a1', 'a2', 'a3']);
});

test('items of many keys share a batch', async () => {
  const { put, answer, begun } = setUp();
  for (const word of ['a1', 'b1', 'c1', 'd1']) void put(word);
  await settled();

  await answer('b1');

  expect(begun()).toEqual(['a1', 'b1', 'c1 d1']);
});

test('a key that is held is run apart, and the others go on', async () => {
  const { put, answer, begun } = setUp(['h']);
  for (const word of ['a1', 'b1', 'h1', 'c1']) void put(word);
  await settled();
  await answer('a1');
  await answer('b1');
  void put('h2');
  void put('d1');
  await answer('c1');

  expect(begun()).toEqual(['a1', 'b1', 'h1', 'c1', 'd1']);
});

test('where no more can be run apart, what is held waits and the others go on', async () => {
  const { put, answer, begun } = setUp(['g', 'h']);
  for (const word of ['g1', 'h1', 'a1']) void put(word);
  await settled();
  void put('h2');
  await answer('a1');
  void put('b1');
  await settled();
  const meanwhile = begun();
  await answer('g1');

  expect(meanwhile).toEqual(['g1', 'a1', 'b1']);
  expect(begun()).toEqual(['g1', 'a1', 'b1', 'h1 h2']);
});

test('one item too many is refused', async () => {
  const { put } = setUp([], { itemsMax: 1, waitingMax: 1, apartMax: 1 });
  void put('a1');
  void put('a2');

  await expect(put('a3')).rejects.toMatchObject({ kind: 'overloaded' });
});

test('a batch never has more than its items, and none is lost', async () => {
  const { put, answer, begun } = setUp([], { itemsMax: 2, waitingMax: 100, apartMax: 1 });
  for (const word of ['a1', 'a2', 'a3', 'b1', 'b2', 'b3']) void put(word);
  await settled();

  await answer('a1');
  await answer('b1');

  expect(begun().slice(0, 2)).toEqual(['a1', 'b1']);
  for (const batch of begun()) expect(batch.split(' ').length).toBeLessThanOrEqual(2);
});
