import { align, type Side } from './align.ts';
import type { Cell, CellType } from './cell.ts';
import { formatDuration } from './duration.ts';
import { formatNumber } from './quantity.ts';
import type { Sheet } from './sheet.ts';
import { displayWidth, truncate } from './width.ts';

export interface RenderOptions {
  /** In terminal columns; longer texts are cut. */
  readonly columnWidthMax?: number;
}

export function renderText(sheet: Sheet, { columnWidthMax = 40 }: RenderOptions = {}): string {
  const table = layOut(sheet, (text) => truncate(text, columnWidthMax));
  const lines = [table.header, table.widths.map((width) => '-'.repeat(width)), ...table.body];
  return lines.map((line) => `${line.join('  ').trimEnd()}\n`).join('');
}

export function renderMarkdown(sheet: Sheet): string {
  const table = layOut(sheet, (text) => text.replaceAll('|', '\\|').replaceAll(/\r?\n/g, '<br>'));
  const rule = table.widths.map((width, index) =>
    table.sides[index] === 'right' ? `${'-'.repeat(Math.max(width - 1, 2))}:` : '-'.repeat(Math.max(width, 3)),
  );
  return [table.header, rule, ...table.body].map((line) => `| ${line.join(' | ')} |\n`).join('');
}

function layOut(sheet: Sheet, clean: (text: string) => string) {
  const names = sheet.columns.map(({ name }) => clean(name));
  const texts = sheet.rows.map((row) => sheet.columns.map(({ type }, index) => clean(showCell(row[index], type))));
  const widths = names.map((name, index) => Math.max(3, displayWidth(name), ...texts.map((row) => displayWidth(row[index] ?? ''))));
  const sides = sheet.columns.map(({ type }): Side => (type === 'number' || type === 'duration' ? 'right' : 'left'));
  const place = (line: readonly string[]): string[] => line.map((text, index) => align(text, widths[index] ?? 0, sides[index] ?? 'left'));
  return { widths, sides, header: place(names), body: texts.map(place) };
}

function showCell(cell: Cell, type: CellType): string {
  if (cell === undefined) return '';
  if (typeof cell === 'string') return cell;
  if (type === 'duration') return formatDuration(cell);
  if (type === 'date') return new Date(cell).toISOString().slice(0, 10);
  return formatNumber(cell);
}
