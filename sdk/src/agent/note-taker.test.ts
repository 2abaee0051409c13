import type { NewContextItem, NewContextItemInput } from '@baton/protocol';
import { expect, test } from 'vitest';
import { createNoteTaker } from './note-taker.ts';

const open = () => {
  const taken: NewContextItem[] = [];
  return { note: createNoteTaker((item) => void taken.push(item)), taken };
};
const fact = (text: string, data?: NewContextItemInput['data']): NewContextItemInput => ({
  kind: 'fact',
  text,
  ...(data !== undefined && { data }),
});
const nested = (levels: number): NewContextItemInput['data'] => (levels === 0 ? 1 : [nested(levels - 1)!]);

function round(): NewContextItemInput['data'] {
  const list: unknown[] = [];
  list.push(list);
  return list as NewContextItemInput['data'];
}

test('a note is handed on as it is made, with all its fields', () => {
  const { note, taken } = open();

  note(fact('It is so.'));

  expect(taken).toEqual([{ kind: 'fact', text: 'It is so.', references: [], pinned: false }]);
});

test.each([
  ['a blank text', fact(' '), 'text: Say something'],
  ['a character that no database stores', fact('a\0b'), 'text: The character U+0000 is not allowed.'],
  ['data that is too long', fact('Long.', 'x'.repeat(15_999)), 'data: It has 16001 characters as JSON; an item takes 16000.'],
  ['data that holds itself', fact('Round.', round()), 'data: It nests deeper than 24 levels.'],
  ['data that nests too deep', fact('Deep.', nested(30)), 'data: It nests deeper than 24 levels.'],
])('%s fails at once, and says why', (_what, item, message) => {
  const { note, taken } = open();

  expect(() => note(item)).toThrow(expect.objectContaining({ code: 'result_invalid', message: expect.stringContaining(message) }));
  expect(taken).toEqual([]);
});

test('one note more than a report takes is refused, and those before it stay', () => {
  const { note, taken } = open();
  for (let count = 1; count <= 1_000; count++) note(fact(`Fact ${count}.`));

  expect(() => note(fact('Fact 1001.'))).toThrow('it has 1000 of');
  expect(taken).toHaveLength(1_000);
});

test('notes that no message has room for are refused, and a shorter one is taken after', () => {
  const { note, taken } = open();
  const long = (number: number) => fact(`Long ${number}.`, 'x'.repeat(15_900));
  for (let number = 1; number <= 65; number++) note(long(number));

  expect(() => note(long(66))).toThrow('it has 65 of');
  note(fact('Short.'));

  expect(taken.slice(-2).map(({ text }) => text)).toEqual(['Long 65.', 'Short.']);
});
