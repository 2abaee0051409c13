import { displayWidth } from './width.ts';

export type Side = 'left' | 'right' | 'center';

/** Fills a text with blanks up to a width in terminal columns. A wider text is left as it is. */
export function align(text: string, width: number, side: Side = 'left'): string {
  const missing = width - displayWidth(text);
  if (missing <= 0) return text;
  if (side === 'left') return text + ' '.repeat(missing);
  if (side === 'right') return ' '.repeat(missing) + text;
  const before = Math.floor(missing / 2);
  return ' '.repeat(before) + text + ' '.repeat(missing - before);
}
