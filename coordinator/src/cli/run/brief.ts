export const firstLine = (text: string): string => text.split('\n', 1)[0] ?? '';

/** As one line of so many characters at most: the whole stands elsewhere. */
export function inShort(text: string, max: number): string {
  const line = text.trim().replaceAll(/\s*\n\s*/g, ' ');
  return line.length > max ? `${line.slice(0, max - 1).trimEnd()}…` : line;
}

/** An error in one line: what a program said last stands for all that it said. */
export function lastWords(message: string): string {
  const lines = message.trimEnd().split('\n');
  const [first = ''] = lines;
  return lines.length > 1 && first.endsWith(':') ? `${first} ${lines.at(-1)?.trim() ?? ''}` : first;
}

/** Each text once, with how often it is there: `No tests were found. (×3)`. */
export const countEach = (texts: readonly string[]): string[] =>
  [...Map.groupBy(texts, (text) => text)].map(([text, all]) => (all.length === 1 ? text : `${text} (×${all.length})`));
