import type { Cell } from './cell.ts';
import { columnIndex, type Sheet } from './sheet.ts';
import { mean, median, sum } from './stats.ts';

export type Aggregate = 'count' | 'sum' | 'mean' | 'median' | 'min' | 'max';

export interface Summary {
  readonly column: string;
  readonly aggregate: Aggregate;
}

export function groupRows(sheet: Sheet, by: string, summaries: readonly Summary[]): Sheet {
  const byIndex = columnIndex(sheet, by);
  const groups = Map.groupBy(sheet.rows, (row) => row[byIndex]);
  const chosen = summaries.map((summary) => ({ ...summary, index: columnIndex(sheet, summary.column) }));
  const rows = [...groups].map(([key, members]) => [
    key,
    ...chosen.map(({ index, aggregate }) =>
      summarize(
        members.map((row) => row[index]),
        aggregate,
      ),
    ),
  ]);
  const columns = [
    { name: by, type: sheet.columns[byIndex]?.type ?? 'text' },
    ...chosen.map(({ column, aggregate, index }) => ({
      name: `${aggregate} of ${column}`,
      // A number of things is a number, even of durations.
      type: aggregate === 'count' ? ('number' as const) : (sheet.columns[index]?.type ?? 'number'),
    })),
  ];
  return { columns, rows };
}

function summarize(cells: readonly Cell[], aggregate: Aggregate): Cell {
  const filled = cells.filter((cell) => cell !== undefined);
  if (aggregate === 'count') return filled.length;
  const numbers = filled.filter((cell) => typeof cell === 'number');
  switch (aggregate) {
    case 'sum':
      return sum(numbers);
    case 'mean':
      return mean(numbers);
    case 'median':
      return median(numbers);
    case 'min':
      return numbers.length === 0 ? undefined : Math.min(...numbers);
    case 'max':
      return numbers.length === 0 ? undefined : Math.max(...numbers);
  }
}
