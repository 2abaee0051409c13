import { expect, test } from 'vitest';
import { createJudgementPlaces, type PlaceLimits } from './judgement-places.ts';

/** Places, the judgements that have begun in their order, and what ends one. */
function open(limits: Partial<PlaceLimits>) {
  const places = createJudgementPlaces({ ofProject: 2, ofAll: 4, waitingMax: 10, ...limits });
  const begun: string[] = [];
  const ends = new Map<string, () => void>();
  const enter = (name: string) => {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    ends.set(name, () => resolve(undefined));
    return places.enter(name.charAt(0), async () => {
      begun.push(name);
      await promise;
    });
  };
  const end = async (name: string) => {
    ends.get(name)!();
    await new Promise(setImmediate);
  };
  return { places, begun, enter, end };
}

test('a project has so many judgements under way, and the next begins when one ends', async () => {
  const { begun, enter, end } = open({});
  for (const name of ['a1', 'a2', 'a3', 'a4']) enter(name);
  expect(begun).toEqual(['a1', 'a2']);

  await end('a2');

  expect(begun).toEqual(['a1', 'a2', 'a3']);
});

test('those of one project hold up no other', () => {
  const { begun, enter } = open({});

  for (const name of ['a1', 'a2', 'a3', 'b1']) enter(name);

  expect(begun).toEqual(['a1', 'a2', 'b1']);
});

test('where there is no place at all projects take turns', async () => {
  const { begun, enter, end } = open({ ofAll: 1 });
  for (const name of ['a1', 'a2', 'a3', 'b1', 'b2']) enter(name);

  for (const name of ['a1', 'a2', 'b1', 'a3']) await end(name);

  expect(begun).toEqual(['a1', 'a2', 'b1', 'a3', 'b2']);
});

test('who finds the line too long is told so, and nothing begins', async () => {
  const { begun, enter, end } = open({ ofProject: 1, waitingMax: 1 });

  expect(['a1', 'a2', 'a3'].map(enter)).toEqual([true, true, false]);

  for (const name of ['a1', 'a2']) await end(name);
  expect(begun).toEqual(['a1', 'a2']);
});

test('the end is when all that wait have had their turn', async () => {
  const { places, begun, enter, end } = open({ ofProject: 1 });
  for (const name of ['a1', 'a2']) enter(name);
  const ended = places.end().then(() => begun.push('the end'));

  await end('a1');
  await end('a2');
  await ended;

  expect(begun).toEqual(['a1', 'a2', 'the end']);
});
