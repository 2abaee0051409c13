import { compareCells } from './column.ts';
import { columnIndex, type Sheet } from './sheet.ts';

export interface SortKey {
  readonly column: string;
  readonly descending?: boolean;
}

export function sortRows(sheet: Sheet, keys: readonly SortKey[]): Sheet {
  const order = keys.map(({ column, descending = false }) => {
    const index = columnIndex(sheet, column);
    return { index, type: sheet.columns[index]?.type ?? 'text', sign: descending ? -1 : 1 };
  });
  const rows = [...sheet.rows].sort((a, b) => {
    for (const { index, type, sign } of order) {
      const left = a[index];
      const right = b[index];
      // Empty cells stay last when the order is turned around.
      const turned = left === undefined || right === undefined ? 1 : sign;
      const difference = compareCells(type, left, right) * turned;
      if (difference !== 0) return difference;
    }
    return 0;
  });
  return { ...sheet, rows };
}
