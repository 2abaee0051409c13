import { styleText } from 'node:util';
import { expect, test } from 'vitest';
import { showControls } from './show-controls.ts';

test.each([
  ['\u001B[2J\u001B[1;1Hall is well', '\\u001b[2J\\u001b[1;1Hall is well'],
  ['\u001B]0;a title\u0007', '\\u001b]0;a title\\u0007'],
  ['\u001B[8mhidden', '\\u001b[8mhidden'],
  ['\u009B2J', '\\u009b2J'],
  ['failed\rpassed', 'failed\\u000dpassed'],
  ['a\b\u007F', 'a\\u0008\\u007f'],
  ['\u0085[31m', '\\u0085[31m'],
  ['pay \u202Eeno\u202C or \u2066two\u2069', 'pay \\u202eeno\\u202c or \\u2066two\\u2069'],
  ['pass\u200Bword \u2060\uFEFF\u00AD', 'pass\\u200bword \\u2060\\ufeff\\u00ad'],
  ['hi\u{E0041}', 'hi\\udb40\\udc41'],
])('%j is shown and not obeyed', (text, shown) => {
  expect(showControls(text)).toBe(shown);
});

test('colours, tabs, breaks of lines, flags and letters of all kinds stay as they are', () => {
  const text = `${styleText('green', '✓', { validateStream: false })} ${styleText('bold', 'größer', { validateStream: false })}\n\t你好 👩‍🚀 ❤️ می\u200Cخواهم 葛\u{E0100} ו\u200F \u200E5\u061C \u{1F3F4}\u{E0067}\u{E0062}\u{E0073}\u{E0063}\u{E0074}\u{E007F}`;

  expect(showControls(text)).toBe(text);
});

test('what JSON says stays the same', () => {
  const value = { text: 'a\u009B2J\u007F\u001B\n\u202E\u{E0041}' };

  const shown = showControls(JSON.stringify(value));

  expect(shown).not.toMatch(/[\u009B\u202E]|\u{E0041}/u);
  expect(JSON.parse(shown)).toEqual(value);
});
