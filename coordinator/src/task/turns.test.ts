import { expect, test } from 'vitest';
import { createTurns } from './turns.ts';

/** Whoever may begin has begun after this. */
const settle = () => new Promise(setImmediate);

/** Pieces of work that end when the test says so, and the order in which they began. */
function createWork() {
  const begun: string[] = [];
  const ends = new Map<string, PromiseWithResolvers<void>>();
  const piece = (name: string) => () => {
    begun.push(name);
    const end = Promise.withResolvers<void>();
    ends.set(name, end);
    return end.promise;
  };
  const end = async (name: string) => {
    ends.get(name)!.resolve();
    await settle();
  };
  return { begun, piece, end };
}

test('one that brings much delays another by one piece, not by all', async () => {
  const turns = createTurns(1);
  const { begun, piece, end } = createWork();
  const all = ['big 1', 'big 2', 'big 3', 'big 4'].map((name) => turns.run('big', piece(name)));
  all.push(turns.run('small', piece('small 1')));
  await settle();

  for (const name of ['big 1', 'big 2', 'small 1', 'big 3', 'big 4']) await end(name);
  await Promise.all(all);

  expect(begun).toEqual(['big 1', 'big 2', 'small 1', 'big 3', 'big 4']);
});

test('an owner that comes back at once goes behind those that wait', async () => {
  const turns = createTurns(1);
  const { begun, piece, end } = createWork();
  const first = turns.run('a', piece('a 1'));
  const rest = [turns.run('b', piece('b 1')), turns.run('c', piece('c 1')), turns.run('a', piece('a 2')), turns.run('b', piece('b 2'))];
  await settle();

  for (const name of ['a 1', 'b 1', 'c 1', 'a 2', 'b 2']) await end(name);
  await Promise.all([first, ...rest]);

  expect(begun).toEqual(['a 1', 'b 1', 'c 1', 'a 2', 'b 2']);
});

test('so many run at a time, and no more', async () => {
  const turns = createTurns(2);
  const { begun, piece, end } = createWork();
  const all = ['a', 'b', 'c'].map((owner) => turns.run(owner, piece(owner)));
  await settle();
  const atFirst = [...begun];

  await end('a');
  const afterOne = [...begun];
  await end('b');
  await end('c');
  await Promise.all(all);

  expect(atFirst).toEqual(['a', 'b']);
  expect(afterOne).toEqual(['a', 'b', 'c']);
});

test('work that fails gives its place on and its error back', async () => {
  const turns = createTurns(1);

  const failing = turns.run('a', () => Promise.reject(new Error('It did not work.')));
  const next = turns.run('a', () => Promise.resolve('done'));

  await expect(failing).rejects.toThrow('It did not work.');
  expect(await next).toBe('done');
});
