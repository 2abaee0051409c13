// PostgreSQL's text holds no NUL, and its jsonb no half of a surrogate pair.

/** Why no database stores a text; undefined where one does. */
export function faultOfText(text: string): string | undefined {
  if (text.includes('\0')) return 'The character U+0000 is not allowed.';
  return text.isWellFormed() ? undefined : 'The text holds half of a surrogate pair.';
}

/** A text of the same length, with U+FFFD in the place of each character that no database stores. */
export const toStorable = (text: string): string => text.replaceAll('\0', '\uFFFD').toWellFormed();

/** The beginning of a text, without a character that would be cut in half. */
export const cutText = (text: string, charsMax: number): string =>
  text.length <= charsMax ? text : text.slice(0, charsMax).replace(/\p{Surrogate}$/u, '');
