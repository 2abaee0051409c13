import { expect, test } from 'vitest';
import { createSlots } from './slots.ts';

const forever = new AbortController().signal;

test('who waits on behalf of one takes turns with those of others, and among themselves in the order of asking', async () => {
  const slots = createSlots(1);
  const entered: string[] = [];
  const giveBack = await slots.take('busy', forever);
  await slots.take('slow', forever);
  const ask = async (behalf: string, name: string, signal = forever) => {
    const leave = await slots.take(behalf, signal);
    entered.push(leave === undefined ? `${name} left` : name);
    leave?.();
  };
  const gone = new AbortController();

  const all = ['busy 1', 'busy 2', 'busy 3'].map((name) => ask('busy', name));
  all.push(ask('busy', 'busy 4', gone.signal), ask('other', 'other 1'), ask('third', 'third 1'), ask('other', 'other 2'));
  gone.abort();
  giveBack?.();
  giveBack?.();
  await Promise.all(all);

  expect(entered).toEqual(['busy 4 left', 'busy 1', 'other 1', 'third 1', 'busy 2', 'other 2', 'busy 3']);
});

test('on one behalf those of several groups take turns, and in a group they wait in the order of asking', async () => {
  const slots = createSlots(1);
  const entered: string[] = [];
  const giveBack = await slots.take('busy', forever);
  await slots.take('slow', forever);
  const ask = async (name: string, signal = forever) => {
    const leave = await slots.take('busy', signal, name.charAt(0));
    entered.push(leave === undefined ? `${name} left` : name);
    leave?.();
  };
  const gone = new AbortController();

  const all = [ask('a1'), ask('a2'), ask('a3'), ask('c1', gone.signal), ask('b1'), ask('b2')];
  gone.abort();
  giveBack?.();
  await Promise.all(all);

  expect(entered).toEqual(['c1 left', 'a1', 'b1', 'a2', 'b2', 'a3']);
});

test('however many are asked for on one behalf, there is a place left for another', async () => {
  const slots = createSlots(2);
  const entered: string[] = [];
  const ask = async (name: string) => {
    const leave = await slots.take(name, forever);
    entered.push(name);
    return leave;
  };
  const waiting = [ask('busy'), ask('busy'), ask('busy')];

  const leave = await ask('other');
  leave?.();
  const again = await ask('other');

  expect(entered).toEqual(['busy', 'busy', 'other', 'other']);
  again?.();
  (await waiting[0])?.();
  await Promise.all(waiting);
  expect(entered.slice(4)).toEqual(['busy']);
});

test('where the last on one behalf leaves, both another who waits and the next on its own behalf enter', async () => {
  const slots = createSlots(2);
  const entered: string[] = [];
  const ask = async (name: string) => {
    const leave = await slots.take(name, forever);
    entered.push(name);
    return leave;
  };
  await ask('b');
  const leave = await ask('a');
  const waiting = [ask('b'), ask('a')];

  leave?.();
  await Promise.all(waiting);

  expect(entered).toEqual(['b', 'a', 'b', 'a']);
});

test('no more are inside than there are places, and one that is given back is taken again', async () => {
  const slots = createSlots(2);
  const first = await slots.take('a', forever);
  await slots.take('a', forever);
  let entered = false;
  const third = slots.take('a', forever).then(() => (entered = true));

  const before = entered;
  first?.();
  await third;

  expect([before, entered]).toEqual([false, true]);
});

test('who has gone already takes no place', async () => {
  expect(await createSlots(1).take('a', AbortSignal.abort())).toBeUndefined();
});
