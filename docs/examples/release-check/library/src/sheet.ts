import { type Cell, parseCell } from './cell.ts';
import { type Column, inferColumn } from './column.ts';
import { type CsvOptions, parseCsv } from './csv.ts';

/** Rows of typed cells under named columns. */
export interface Sheet {
  readonly columns: readonly Column[];
  readonly rows: readonly (readonly Cell[])[];
}

/** Reads CSV whose first row names the columns. Short rows are filled with empty cells. */
export function readSheet(text: string, options: CsvOptions = {}): Sheet {
  const [names = [], ...lines] = parseCsv(text, options);
  const columns = names.map((name, index) =>
    inferColumn(
      name.trim(),
      lines.map((line) => line[index] ?? ''),
    ),
  );
  const rows = lines.map((line) => columns.map(({ type }, index) => toCell(line[index] ?? '', type)));
  return { columns, rows };
}

export function columnIndex(sheet: Sheet, name: string): number {
  const index = sheet.columns.findIndex((column) => column.name === name);
  if (index === -1) throw new RangeError(`There is no column ${name}; there are ${sheet.columns.map((column) => column.name).join(', ')}`);
  return index;
}

const toCell = (text: string, type: Column['type']): Cell => (text.trim() === '' ? undefined : parseCell(text, type));
