// What a release must hold whatever its parts say of themselves: RFC 4180, clause by clause.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatCsv, parseCsv } from '../src/index.ts';

test('RFC 4180 2.2: the last record may or may not have a line break', () => {
  assert.deepEqual(parseCsv('a,b\r\nc,d'), parseCsv('a,b\r\nc,d\r\n'));
});

test('RFC 4180 2.4: spaces are part of a field', () => {
  assert.deepEqual(parseCsv(' a , b '), [[' a ', ' b ']]);
});

test('RFC 4180 2.6: fields with line breaks, quotes and commas are quoted', () => {
  assert.deepEqual(parseCsv('"aaa","b\r\nbb","c,cc"\r\nzzz,yyy,xxx'), [
    ['aaa', 'b\r\nbb', 'c,cc'],
    ['zzz', 'yyy', 'xxx'],
  ]);
});

test('RFC 4180 2.7: every doubled quote inside of quotes is one quote', () => {
  assert.deepEqual(parseCsv('"she said ""yes"" and ""no""",1'), [['she said "yes" and "no"', '1']]);
});

test('what was written reads back unchanged', () => {
  const rows = [
    ['', ' ', 'ä'],
    ['"', '""', '"""'],
    ['a\nb', 'c\r\nd', ',;\t'],
  ];

  assert.deepEqual(parseCsv(formatCsv(rows)), rows);
});
