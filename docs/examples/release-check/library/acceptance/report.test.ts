// The story the README tells, from the file to the printed table.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { groupRows, readSheet, renderMarkdown, renderText, sortRows } from '../src/index.ts';

const csv = `host,took,release
alpha,1m 30s,1.10.0
beta,45s,1.9.0
alpha,30s,1.10.0
gamma,,1.9.0-rc.1
`;

test('the slowest host comes first, the one that never ran last', () => {
  const grouped = groupRows(readSheet(csv), 'host', [{ column: 'took', aggregate: 'median' }]);

  const printed = renderText(sortRows(grouped, [{ column: 'median of took', descending: true }]));

  assert.equal(
    printed,
    ['host   median of took', '-----  --------------', 'alpha              1m', 'beta              45s', 'gamma', ''].join('\n'),
  );
});

test('releases are in the order of their versions', () => {
  const sorted = sortRows(readSheet(csv), [{ column: 'release' }]);

  assert.deepEqual(
    sorted.rows.map((row) => row[2]),
    ['1.9.0-rc.1', '1.9.0', '1.10.0', '1.10.0'],
  );
});

test('a bar in a cell does not break a Markdown table', () => {
  assert.match(renderMarkdown(readSheet('a\nx|y\n')), /x\\\|y/);
});
