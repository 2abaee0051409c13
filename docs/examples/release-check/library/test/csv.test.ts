import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CsvError, formatCsv, parseCsv } from '../src/csv.ts';

test('fields and rows are told apart, whatever the line ends are', () => {
  assert.deepEqual(parseCsv('a,b\n1,2\r\n3,\n'), [
    ['a', 'b'],
    ['1', '2'],
    ['3', ''],
  ]);
});

test('a quoted field may hold separators, line breaks and a quote', () => {
  assert.deepEqual(parseCsv('"a,b","c\nd","5"" pipe"\n'), [['a,b', 'c\nd', '5" pipe']]);
});

test('a quoted field that is not closed is refused with its line', () => {
  assert.throws(
    () => parseCsv('a\n"b'),
    (error) => error instanceof CsvError && error.line === 2,
  );
});

test('only fields that need quotes get them', () => {
  assert.equal(formatCsv([['plain', 'with, comma', 'with "quotes"']]), 'plain,"with, comma","with ""quotes"""\r\n');
});
