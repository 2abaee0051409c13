import { parseDuration } from './duration.ts';
import { parseNumber } from './quantity.ts';
import { parseVersion } from './semver.ts';

export type CellType = 'empty' | 'number' | 'duration' | 'version' | 'date' | 'text';

export type Cell = string | number | undefined;

/** What a text looks like. */
export function detectType(text: string): CellType {
  if (text.trim() === '') return 'empty';
  if (parseNumber(text) !== undefined) return 'number';
  if (parseVersion(text) !== undefined) return 'version';
  if (parseDate(text) !== undefined) return 'date';
  return parseDuration(text) === undefined ? 'text' : 'duration';
}

export function parseCell(text: string, type: CellType): Cell {
  switch (type) {
    case 'empty':
      return undefined;
    case 'number':
      return parseNumber(text);
    case 'duration':
      return parseDuration(text);
    case 'date':
      return parseDate(text);
    case 'version':
    case 'text':
      return text.trim();
  }
}

/** Days as `2024-02-29`, in milliseconds since 1970; a day that no calendar has is not a date. */
function parseDate(text: string): number | undefined {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text.trim())) return undefined;
  const time = Date.parse(`${text.trim()}T00:00:00Z`);
  return Number.isNaN(time) || !new Date(time).toISOString().startsWith(text.trim()) ? undefined : time;
}
