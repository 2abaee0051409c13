import { expect, inject, test } from 'vitest';
import { getTemplate } from '../support/stores.ts';
import { findBenches } from './harness/find-benches.ts';
import { openPlace } from './harness/place.ts';
import { readCommand } from './harness/read-command.ts';
import { runBench } from './harness/run-bench.ts';
import { percentile, spreadOf } from './harness/statistics.ts';
import { reportText } from './harness/tables.ts';
import { openWorkers } from './harness/workers.ts';

// Three processes and a coordinator are started for it: on a busy machine that alone takes a while.
test('every bench runs to its end and brings figures, at sizes that show nothing', { timeout: 600_000 }, async () => {
  const { url } = await getTemplate(inject('storesSocket'), 'postgresql');
  const benches = await findBenches();
  const environment: Record<string, string> = Object.assign({}, ...[...benches.values()].map((bench) => bench.environment));
  await using place = await openPlace({ serverUrl: url, environment });
  await using workers = openWorkers();

  for (const [name, bench] of benches) {
    const sizes = Object.fromEntries(Object.entries(bench.settings).map(([setting, { smoke }]) => [setting, smoke]));
    const report = await runBench(bench, { place, workers, rounds: { count: 1 }, sizes });

    const rows = report.tables.flatMap((table) => table.rows);
    const senseless = rows.filter(({ figures }) => !Object.values(figures).every(({ median }) => median > 0));
    expect({ name, rows: rows.length > 1, senseless }).toEqual({ name, rows: true, senseless: [] });
    for (const row of rows) expect(reportText(report, '##')).toContain(`| ${row.name} |`);
  }
});

test('a percentile is a value that was measured', () => {
  const values = Array.from({ length: 200 }, (_, index) => 200 - index);

  expect(percentile(values, 0.5)).toBe(100);
  expect(percentile(values, 0.99)).toBe(198);
  expect(percentile([7], 0.99)).toBe(7);
});

test('the spread of an even number of values has the mean of the middle two', () => {
  expect(spreadOf([4, 1, 3, 2])).toEqual({ median: 2.5, min: 1, max: 4 });
});

test('what is given on the command line is read, and all else is as usual', async () => {
  const benches = await findBenches();

  expect(readCommand(['latency', '--runs', '2', '--submissions', '7'], benches)).toMatchObject({
    chosen: ['latency'],
    runs: 2,
    sizes: { submissions: 7 },
  });
  expect(readCommand(['all'], benches)).toMatchObject({ chosen: [...benches.keys()], runs: 5, sizes: {} });
  expect(readCommand(['latency', '--help'], benches)).toMatchObject({ chosen: [] });
});

test.each([
  [['latency', '--submissions', '0'], '--submissions 0: expected a whole number of at least 1.'],
  [['latency', '--runs', 'x'], '--runs x: expected a whole number of at least 1.'],
  [['latency', '--runs', '1.5'], '--runs 1.5: expected a whole number of at least 1.'],
  [['latency', '--sesions', '5'], "Unknown option '--sesions'."],
  [['latency', '--runs'], "Option '--runs <value>' argument missing."],
  [['latency', '--sessions', '5'], '--sessions is no setting of latency.'],
  [['latencies'], 'There is no bench latencies.'],
])('a wrong command line is told in one line: %j', async (args, mistake) => {
  expect(readCommand(args, await findBenches())).toEqual({ mistake });
});
