import { CoordinatorError } from '@baton/protocol';
import { expect, test } from 'vitest';
import { createJudgementTurns, type Purpose, type TurnLimits } from './judgement-turns.ts';

interface Asked {
  readonly purpose?: Purpose;
  readonly isLarge?: boolean;
  readonly signal?: AbortSignal;
}

/** Turns, and the judgements that have begun in their order. `a1.2` is the second judgement of a ticket of the project a. */
function open(limits: Partial<TurnLimits> = {}) {
  const turns = createJudgementTurns({ judgementsMax: 4, largeJudgementsMax: 1, judgementsWaitingMax: 512, ...limits });
  const begun: string[] = [];
  const ends = new Map<string, () => void>();
  const take = (name: string, { purpose = 'validation', isLarge = false, signal }: Asked = {}) =>
    turns.take({ projectId: name.charAt(0), ticketId: name.split('.')[0]!, purpose, isLarge }, signal).then(
      (leave) => {
        begun.push(name);
        ends.set(name, leave);
        return 'begun';
      },
      (error: unknown) => (error instanceof CoordinatorError ? error.kind : error),
    );
  const settle = () => new Promise(setImmediate);
  const end = async (name: string) => {
    ends.get(name)!();
    await settle();
  };
  return { begun, take, end, settle };
}

test('a ticket is judged once at a time, and many who ask for one hold up no other', async () => {
  const { begun, take, end, settle } = open({ judgementsMax: 2 });
  for (const name of ['a1.1', 'a1.2', 'a1.3', 'b1', 'a1.4', 'b2', 'a2']) void take(name);
  await settle();
  expect(begun).toEqual(['a1.1', 'b1']);

  for (const name of ['a1.1', 'b1', 'a1.2', 'a2']) await end(name);

  expect(begun).toEqual(['a1.1', 'b1', 'a1.2', 'b2', 'a2', 'a1.3']);
});

test('half of the places are for other projects', async () => {
  const { begun, take, settle } = open();

  for (const name of ['a1', 'a2', 'a3', 'b1', 'b2', 'b3']) void take(name);
  await settle();

  expect(begun).toEqual(['a1', 'a2', 'b1', 'b2']);
});

test('much evidence is held by few, and those that have little do not wait behind them', async () => {
  const { begun, take, end, settle } = open({ judgementsMax: 8 });

  for (const name of ['a1', 'a2', 'a3']) void take(name, { isLarge: true });
  void take('a4');
  await settle();
  expect(begun).toEqual(['a1', 'a4']);

  await end('a1');
  expect(begun).toEqual(['a1', 'a4', 'a2']);
});

test('nor does the much evidence of one project hold up that of another', async () => {
  const { begun, take, settle } = open({ judgementsMax: 8, largeJudgementsMax: 2 });

  for (const name of ['a1', 'a2', 'b1', 'c1']) void take(name, { isLarge: true });
  await settle();

  expect(begun).toEqual(['a1', 'b1']);
});

test('whoever comes back at once stands behind those that have waited', async () => {
  const { begun, take, end, settle } = open({ judgementsMax: 8 });
  for (const name of ['a1', 'a2', 'b1']) void take(name, { isLarge: true });
  await settle();

  await end('a1');
  void take('a1.2', { isLarge: true });
  await end('a2');
  void take('a2.2', { isLarge: true });
  await end('b1');
  await end('a1.2');

  expect(begun).toEqual(['a1', 'a2', 'b1', 'a1.2', 'a2.2']);
});

test('what moves a ticket goes before validations, and these before explanations', async () => {
  const { begun, take, end, settle } = open({ judgementsMax: 2 });
  void take('a1.1');
  void take('a1.2', { purpose: 'explanation' });
  void take('a2.1', { purpose: 'explanation' });
  void take('a3');
  void take('a2.2', { purpose: 'transition' });
  void take('a1.3', { purpose: 'workflow' });
  await settle();

  for (const name of ['a1.1', 'a1.3', 'a2.2', 'a3', 'a1.2']) await end(name);

  expect(begun).toEqual(['a1.1', 'a1.3', 'a2.2', 'a3', 'a1.2', 'a2.1']);
});

test.each<Purpose>(['workflow', 'transition', 'validation'])('no %s is refused for the explanations of its project', async (purpose) => {
  const { begun, take, end, settle } = open();
  const explained = Array.from({ length: 40 }, (_, ticket) => ticket).flatMap((ticket) =>
    Array.from({ length: 8 }, (_, time) => take(`a${ticket}.${time}`, { purpose: 'explanation' })),
  );
  void take('a0.last', { purpose });
  await settle();

  await end('a0.0');

  expect(begun.slice(0, 2)).toEqual(['a0.0', 'a0.last']);
  expect(await explained.at(-1)).toBe('overloaded');
});

test('explanations take a quarter of the places, those of much evidence included', async () => {
  const { begun, take, settle } = open({ judgementsMax: 16, largeJudgementsMax: 4 });
  for (const name of ['a1', 'a2', 'a3']) void take(name, { purpose: 'explanation' });
  for (const name of ['b1', 'b2']) void take(name, { purpose: 'explanation', isLarge: true });
  await settle();
  expect(begun).toEqual(['a1', 'a2', 'b1']);

  void take('a4');
  void take('b3', { isLarge: true });
  await settle();

  expect(begun).toEqual(['a1', 'a2', 'b1', 'a4', 'b3']);
});

test('of what moves by itself four are judged at once in a project, and none waits behind the much evidence of others', async () => {
  const { begun, take, settle } = open({ judgementsMax: 64, largeJudgementsMax: 2 });
  for (const name of ['a1', 'a2', 'a3', 'a4', 'a5']) void take(name, { purpose: 'workflow', isLarge: true });
  for (const name of ['a6', 'a7', 'a8', 'a9', 'b1']) void take(name, { purpose: 'workflow' });
  void take('a10');

  await settle();

  expect(begun).toEqual(['a1', 'a6', 'a7', 'a8', 'b1', 'a10']);
});

test.each([
  ['one ticket', ['a1.1', 'a1.2', 'a1.3'], 'a1.4'],
  ['one project', ['a1', 'a2', 'a3', 'a4', 'a5', 'a6', 'a7', 'a8', 'a9'], 'a10'],
])('where too many wait for %s one more is refused, and another project is not', async (_, names, oneMore) => {
  const { begun, take } = open({ judgementsMax: 2, judgementsWaitingMax: 64 });
  for (const name of names) void take(name);

  const refused = await take(oneMore);

  expect(refused).toBe('overloaded');
  expect(await take('b1')).toBe('begun');
  expect(begun).toEqual([names[0], 'b1']);
});

test('whoever gives up while waiting takes no place', async () => {
  const { begun, take, end, settle } = open();
  const leaving = new AbortController();
  void take('a1.1');
  const gone = take('a1.2', { signal: leaving.signal });
  void take('a1.3');
  await settle();

  leaving.abort('gone');
  await end('a1.1');

  expect(await gone).toBe('gone');
  expect(begun).toEqual(['a1.1', 'a1.3']);
});

test('a place that is given back twice is free once', async () => {
  const { begun, take, end } = open({ judgementsMax: 2 });
  await take('a1');
  for (const name of ['a2', 'a3']) void take(name);

  await end('a1');
  await end('a1');

  expect(begun).toEqual(['a1', 'a2']);
});
