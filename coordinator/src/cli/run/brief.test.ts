import { expect, test } from 'vitest';
import { countEach, inShort, lastWords } from './brief.ts';

test.each([
  ['It failed.', 'It failed.'],
  ['node exited with code 3:\n  at x\nError: two\n', 'node exited with code 3: Error: two'],
  ['A sentence.\nAnother one.', 'A sentence.'],
])('what %j comes to in one line is %j', (message, line) => expect(lastWords(message)).toBe(line));

test('a long line is cut, and says so', () => {
  expect(inShort('four words are enough', 12)).toBe('four words…');
  expect(inShort('two\n  lines', 12)).toBe('two lines');
});

test('what is said again and again is said once', () => expect(countEach(['a', 'b', 'a'])).toEqual(['a (×2)', 'b']));
