import { describe, expect, test } from 'vitest';
import { createBucket, createBucketTable } from './rate-limit.ts';

/** A clock that stands until it is set. */
function clock() {
  let time = 0;
  return { now: () => time, pass: (ms: number) => void (time += ms) };
}
const rate = { perSecond: 2, burst: 3 };

describe('a bucket', () => {
  test('lets the burst through at once and says when there is more', () => {
    const { now } = clock();
    const bucket = createBucket(rate, now);

    expect([1, 2, 3, 4].map(() => bucket.take())).toEqual([undefined, undefined, undefined, 500]);
  });

  test('fills with time, and no further than the burst', () => {
    const { now, pass } = clock();
    const bucket = createBucket(rate, now);
    for (let count = 0; count < 3; count++) bucket.take();

    pass(250);
    expect(bucket.take()).toBe(250);
    pass(250);
    expect(bucket.take()).toBeUndefined();
    pass(1_000_000);
    expect([1, 2, 3, 4].map(() => bucket.take() === undefined)).toEqual([true, true, true, false]);
  });

  test('is not emptied by looking', () => {
    const { now } = clock();
    const bucket = createBucket({ perSecond: 1, burst: 1 }, now);

    expect([bucket.look(), bucket.look(), bucket.take(), bucket.look()]).toEqual([undefined, undefined, undefined, 1_000]);
  });
});

describe('a table of buckets', () => {
  test('counts each key by itself', () => {
    const { now } = clock();
    const table = createBucketTable({ perSecond: 1, burst: 1 }, { keysMax: 10, now });
    table.of('a').take();

    expect(table.of('a').look()).toBe(1_000);
    expect(table.of('b').look()).toBeUndefined();
  });

  test('forgets those that are full before any other, and never grows beyond its size', () => {
    const { now, pass } = clock();
    const table = createBucketTable({ perSecond: 1, burst: 1 }, { keysMax: 2, now });
    table.of('old').take();
    pass(1_000);
    table.of('busy').take();

    table.of('new').take();
    expect(table.of('busy').look()).toBe(1_000);

    for (let key = 0; key < 100; key++) table.of(`${key}`).take();
    expect(table.size).toBe(2);
  });
});
