import { setImmediate as nextTurn } from 'node:timers/promises';
import MiniSearch from 'minisearch';
import { expect, test, vi } from 'vitest';
import { itemOf } from './item-fixture.ts';
import { createRelevance } from './relevance.ts';

const words = ['lease', 'session', 'retry', 'upload', 'limit', 'cache'];
const factOf = (number: number, more = '') =>
  itemOf(number, 'fact', `Fact ${number} of the ${words[number % 6]} and the ${words[(number * 5) % 6]}. ${more}`);
const facts = Array.from({ length: 60 }, (_, index) => factOf(index + 1));

test('what was taken away, changed or added leaves no trace in the scores', async () => {
  const relevance = createRelevance();
  const now = [...facts.slice(10, 40).map((fact) => ({ ...fact, rationale: 'The lease is short.' })), factOf(61, 'Retry it.')];

  await relevance.score('a place', facts, 'lease');
  await relevance.score('a place', facts.slice(0, 5), 'retry');
  const scores = await relevance.score('a place', now, 'retry the lease');

  expect(scores).toEqual(await createRelevance().score('a place', now, 'retry the lease'));
});

test('of two who ask at the same time each is answered of his own items', async () => {
  const relevance = createRelevance();
  const [older, newer] = [facts.slice(0, 30), facts.slice(20)];

  const both = await Promise.all([relevance.score('a place', older, 'lease'), relevance.score('a place', newer, 'lease')]);

  expect(both[0]).toEqual(await createRelevance().score('a place', older, 'lease'));
  expect(both[1]).toEqual(await createRelevance().score('a place', newer, 'lease'));
});

test('while many items are indexed others have their turn', async () => {
  // A millisecond passes with each look at the clock, however fast the machine is.
  let ms = 0;
  using _clock = vi.spyOn(performance, 'now').mockImplementation(() => (ms += 1));
  const answer = createRelevance().score('a place', facts, 'lease');
  const isAnswered = Symbol('answered');
  let turns = 0;
  while ((await Promise.race([answer.then(() => isAnswered), nextTurn()])) !== isAnswered) turns += 1;

  expect(turns).toBeGreaterThan(1);
});

test('where one item goes and one comes, no other is indexed again', async () => {
  const relevance = createRelevance();
  await relevance.score('a place', facts, 'lease');
  const indexed = vi.spyOn(MiniSearch.prototype, 'add');

  await relevance.score('a place', [...facts.slice(1), factOf(61)], 'lease');

  expect(indexed).toHaveBeenCalledTimes(1);
});

test.each([
  ['会话租约为十五秒。', '租约'],
  ['セッションのリースは十五秒です。', 'リース'],
  ['สัญญาเช่ามีอายุสิบห้าวินาที', 'สัญญา'],
  ['The limit is in src/cart.ts:12.', 'src/cart.ts:12'],
  ['Call clearCart2 of src/cart.ts.', 'clearCart2'],
])('finds in "%s" what is asked: %s', async (text, query) => {
  const scores = await createRelevance().score('a place', [itemOf(1, 'fact', text), itemOf(2, 'fact', 'It is blue. 它是蓝色的。')], query);

  expect([...scores]).toEqual([['c:1', 1]]);
});
