export interface CsvOptions {
  /** One character; a comma unless said otherwise. */
  readonly separator?: string;
}

/** A text that is not CSV, with the line where that became clear. */
export class CsvError extends Error {
  readonly line: number;

  constructor(message: string, line: number) {
    super(`${message} (line ${line})`);
    this.name = 'CsvError';
    this.line = line;
  }
}

/** Reads rows of fields as RFC 4180 describes them. Lines may end in LF or CRLF. */
export function parseCsv(text: string, { separator = ',' }: CsvOptions = {}): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  let position = 0;
  while (position < text.length) {
    const field = text[position] === '"' ? readQuoted(text, position) : readPlain(text, position, separator);
    row.push(field.value);
    position = field.end;
    if (text[position] === separator) {
      position += 1;
      // A separator at the very end is followed by one more empty field.
      if (position === text.length) row.push('');
      continue;
    }
    const lineBreak = /\r?\n|\r/y;
    lineBreak.lastIndex = position;
    if (position < text.length && !lineBreak.test(text)) throw new CsvError('Text after the closing quote', lineAt(text, position));
    position = Math.max(position, lineBreak.lastIndex);
    rows.push(row);
    row = [];
  }
  if (row.length > 0) rows.push(row);
  return rows;
}

export function formatCsv(rows: readonly (readonly string[])[], { separator = ',' }: CsvOptions = {}): string {
  const special = new RegExp(`["\\r\\n${separator === '\t' ? '\\t' : `\\${separator}`}]`);
  const quote = (field: string): string => (special.test(field) ? `"${field.replaceAll('"', '""')}"` : field);
  return rows.map((row) => `${row.map(quote).join(separator)}\r\n`).join('');
}

interface Field {
  readonly value: string;
  /** Where the text goes on. */
  readonly end: number;
}

function readPlain(text: string, start: number, separator: string): Field {
  let end = start;
  while (end < text.length && text[end] !== separator && text[end] !== '\n' && text[end] !== '\r') end += 1;
  return { value: text.slice(start, end), end };
}

function readQuoted(text: string, start: number): Field {
  let end = start + 1;
  for (;;) {
    end = text.indexOf('"', end);
    if (end === -1) throw new CsvError('A quoted field is not closed', lineAt(text, start));
    if (text[end + 1] !== '"') break;
    end += 2;
  }
  // Inside of quotes a quote is written twice.
  return { value: text.slice(start + 1, end).replace('""', '"'), end: end + 1 };
}

const lineAt = (text: string, position: number): number => text.slice(0, position).split(/\r\n|\r|\n/).length;
